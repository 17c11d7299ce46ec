// Takes in the tokens of the sequence up to the step's first one, that included: one invocation.
//   walk: how many tokens have been taken in, the state that they led to, and the stack there    tokens u32
// A token that does not fit leads to the state DEAD, from which nothing does.
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
    state = walk.state;
    kept = walk.depth;
    for (var at = walk.position; at < end; at++) {
        own = 0u;
        if !take_token(tokens[at]) {
            state = DEAD;
            own = 0u;
            kept = 0u;
        }
        for (var i = 0u; i < own; i++) {
            walk.stack[kept + i] = pushed[i];
        }
        kept += own;
    }
    walk.position = max(walk.position, end);
    walk.state = state;
    walk.depth = kept;
}
