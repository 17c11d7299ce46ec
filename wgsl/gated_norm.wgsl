// RMSNorm of rows with a gate, y = silu(gate[r]):
//   after the norm     out[r] = x[r] / sqrt(mean(x[r]^2) + eps) * weight * y
//   before it          out[r] = x[r] y / sqrt(mean((x[r] y)^2) + eps) * weight
//   x f32 [T, parts, columns]    weight f32 [columns] or [parts, columns]    out as x
//   gate f32 [T, gate_stride], of which elements gate_first .. gate_first + parts columns are gates
// A row r is a part of a token; workgroup (token, part). Parameters: before, function (of lib/activations.wgsl),
// workgroup_size, subgroups.
{% include "lib/step.wgsl" %}
struct Params {
    columns: u32,
    parts: u32,
    weight_step: u32,  // from the weights of a part to those of the next
    eps: f32,
    gate_first: u32,
    gate_stride: u32,
}

var<uniform> params: Params;
var<uniform> step: Step;
var<storage, read> x: array<f32>;
var<storage, read> gate: array<f32>;
var<storage, read> weight: array<f32>;
var<storage, read_write> out: array<f32>;

{% include "lib/activations.wgsl" %}
{% set reductions = ["sum"] %}
{% include "lib/reduce.wgsl" %}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    if group.x >= step.count {
        return;
    }
    let row = (group.x * params.parts + group.y) * params.columns;
    let gates = group.x * params.gate_stride + params.gate_first + group.y * params.columns;
    let weights = group.y * params.weight_step;
    var squares = 0.0;
    for (var i = lane; i < params.columns; i += {{ workgroup_size }}u) {
        let value = x[row + i]{{ " * activation(gate[gates + i], 0.0, 0.0)" if before }};
        squares += value * value;
    }
    let scale = inverseSqrt(workgroup_sum(squares, lane) / f32(params.columns) + params.eps);
    for (var i = lane; i < params.columns; i += {{ workgroup_size }}u) {
        out[row + i] = x[row + i] * activation(gate[gates + i], 0.0, 0.0) * scale * weight[weights + i];
    }
}
