// Routing of a mixture of experts: the k experts of each token of a step, the best first, and what their results weigh.
//   logits f32 [T, experts]    bias f32 [experts]    ids u32 [T, k]    weights f32 [T, k]
// One workgroup a token. Parameters: gating ("softmax" over all experts, "sigmoid"), bias (added to the weights to
// choose by, not to those given), normalise (the weights of a token's k add up to 1, before `factor`), workgroup_size,
// subgroups.
{% include "lib/step.wgsl" %}
struct Params {
    experts: u32,
    k: u32,
    factor: f32,
}

var<uniform> params: Params;
var<uniform> step: Step;
var<storage, read> logits: array<f32>;
var<storage, read_write> ids: array<u32>;
var<storage, read_write> weights: array<f32>;
{% if bias %}
var<storage, read> bias: array<f32>;
{% endif %}

{% set reductions = ["sum", "max"] %}
{% include "lib/reduce.wgsl" %}
{% if gating == "sigmoid" %}
{% set function = "sigmoid" %}
{% include "lib/activations.wgsl" %}

fn weight_of(logit: f32) -> f32 {
    return sigmoid(logit);
}
{% else %}

var<private> highest: f32;
var<private> total: f32;

fn weight_of(logit: f32) -> f32 {
    return exp(logit - highest) / total;
}
{% endif %}

// What expert `i` of the token whose logits start at `row` is chosen by: the logit itself where the order is the same.
fn element_of(row: u32, i: u32) -> f32 {
    return {{ "weight_of(logits[row + i]) + bias[i]" if bias else "logits[row + i]" }};
}

{% include "lib/next_largest.wgsl" %}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let t = group.x;
    if t >= step.count {
        return;
    }
    let row = t * params.experts;
    {% if gating == "softmax" %}
    var best = LOWEST;
    for (var i = lane; i < params.experts; i += {{ workgroup_size }}u) {
        best = max(best, logits[row + i]);
    }
    highest = workgroup_max(best, lane);
    var mass = 0.0;
    for (var i = lane; i < params.experts; i += {{ workgroup_size }}u) {
        mass += exp(logits[row + i] - highest);
    }
    total = workgroup_sum(mass, lane);
    {% endif %}
    var found = Ranked(0.0, 0u);
    var sum = 0.0;
    for (var j = 0u; j < params.k; j++) {
        found = next_largest(row, params.experts, j == 0u, found, lane);
        if lane == 0u {
            let weight = weight_of(logits[row + found.id]);
            sum += weight;
            ids[t * params.k + j] = found.id;
            weights[t * params.k + j] = weight;
        }
    }
    if lane == 0u {
        let scale = params.factor{{ " / sum" if normalise }};
        for (var j = 0u; j < params.k; j++) {
            weights[t * params.k + j] *= scale;
        }
    }
}
