// Excludes what does not fit from the logits of the token that follows the step's last (every: each of the step's tokens).
//   walk: the state up to the step's first token    tokens u32    logits f32 [count or 1, vocabulary]
// An invocation a token; a row of workgroups for each row of logits. What the step has beyond its first token, every
// workgroup takes in for itself: that is seldom anything, and never much.
// Parameters: every, workgroup_size; see lib/automaton.wgsl for others.
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
var<storage, read> walk: Walk;
var<storage, read_write> logits: array<f32>;

const EXCLUDED: f32 = -3.4028234e38;

var<workgroup> stack: array<u32, {{ max_depth }}>;
var<workgroup> state_here: u32;
var<workgroup> depth_here: u32;

{% set stack = "stack" %}
{% include "lib/automaton.wgsl" %}

// Takes in the tokens from the walk's end to the row's, into `stack`, `state_here` and `depth_here`.
fn take_row(row: u32) {
    for (var i = 0u; i < walk.depth; i++) {
        stack[i] = walk.stack[i];
    }
    {% if every %}
    take_sequence(step.position + row + 1u);
    {% else %}
    take_sequence(step.position + step.count);
    {% endif %}
    state_here = state;
    depth_here = kept;
}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(global_invocation_id) at: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    if lane == 0u {
        take_row(at.y);
    }
    workgroupBarrier();
    let id = at.x;
    if id >= params.vocabulary{{ " || at.y >= step.count" if every }} {
        return;
    }
    state = state_here;
    kept = depth_here;
    own = 0u;
    var fits = false;
    let only = automaton[automaton[3] + state];
    if only != 0u {
        fits = id == only - 1u;
    } else if state != DEAD {
        if (texts[id] & ENDS) != 0u {
            fits = may_end();
        } else {
            fits = take_token(id);
        }
    }
    if !fits {
        logits[at.y * params.vocabulary + id] = EXCLUDED;
    }
}
