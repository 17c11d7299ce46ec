// The state of a causal convolution, f32 [LENGTH, width]: the channels of the last tokens, each in the row of its
// position modulo LENGTH. Needs the step. Parameters: length (taps), conv_state (the buffer's name), conv_width (of rows).
const LENGTH: u32 = {{ length }}u;

fn state_place(position: u32, i: u32) -> u32 {
    return position % LENGTH * {{ conv_width }} + i;
}

// Channel i of the token that is `back` before the step's first; before position 0 all is 0.
fn before_step(back: u32, i: u32) -> f32 {
    return select(0.0, {{ conv_state }}[state_place(step.position - back, i)], step.position >= back);
}
