// Takes in the tokens of the sequence up to the step's first one, that included: one invocation.
//   walk: how many tokens have been taken in, the state that they led to, and the stack there    tokens u32
// Parameters: see lib/automaton.wgsl.
{% include "lib/step.wgsl" %}
struct Params {
    vocabulary: u32,
}

{% include "lib/walk.wgsl" %}
var<uniform> params: Params;
var<storage, read> step: Step;
var<storage, read> tokens: array<u32>;
var<storage, read> automaton: array<u32>;
var<storage, read> texts: array<u32>;
var<storage, read_write> walk: Walk;

{% set stack = "walk.stack" %}
{% include "lib/automaton.wgsl" %}

@compute @workgroup_size(1)
fn main() {
    let end = step.position + 1u;
    take_sequence(end);
    walk.position = max(walk.position, end);
    walk.state = state;
    walk.depth = kept;
}
