// How likely the token was that a step has picked, and the likeliest ones: logarithms of probabilities, of the softmax
// over the logits as the model gave them.
//   logits f32 [vocabulary]    tokens u32 [context + 1]    ids u32 [top], values f32 [top]: the largest of the logits
//   records f32 [ring, 1 + top, 2]: the token, and what it has; then the likeliest, the first of them first (ids are
//   exact in f32 up to 2^24)
// After the sampler: the token stands at tokens[position]. Its record is the one of that place, modulo `ring`.
// One workgroup. Parameters: workgroup_size, unroll, subgroups.
{% include "lib/step.wgsl" %}
struct Params {
    vocabulary: u32,
    top: u32,
    ring: u32,
}

var<uniform> params: Params;
var<storage, read> step: Step;
var<storage, read> tokens: array<u32>;
var<storage, read> logits: array<f32>;
var<storage, read> ids: array<u32>;
var<storage, read> values: array<f32>;
var<storage, read_write> records: array<f32>;

const THREADS: u32 = {{ workgroup_size }}u;

{% set reductions = ["sum"] %}
{% include "lib/reduce.wgsl" %}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(local_invocation_index) lane: u32) {
    let highest = values[0];
    var mass = 0.0;
    // One workgroup has little to hide the latency of memory with, so an invocation reads `unroll` logits at once.
    for (var first = lane; first < params.vocabulary; first += THREADS * {{ unroll }}u) {
        {% for u in range(unroll) %}
        let logit_{{ u }} = logits[min(first + {{ u }}u * THREADS, params.vocabulary - 1u)];
        {% endfor %}
        {% for u in range(unroll) %}
        mass += select(0.0, exp(logit_{{ u }} - highest), first + {{ u }}u * THREADS < params.vocabulary);
        {% endfor %}
    }
    let all = highest + log(workgroup_sum(mass, lane));
    let token = tokens[step.position];
    let record = (step.position % params.ring) * 2u * (1u + params.top);
    for (var i = lane; i < 1u + params.top; i += THREADS) {
        var id = token;
        if i > 0u {
            id = ids[i - 1u];
        }
        records[record + 2u * i] = f32(id);
        records[record + 2u * i + 1u] = logits[id] - all;
    }
}
