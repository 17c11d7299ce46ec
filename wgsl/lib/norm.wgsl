// The kernel of rms_norm.wgsl and layer_norm.wgsl:
//   out[t] = (x[t] - centre) / sqrt(mean((x[t] - centre)^2) + eps) * weight (+ bias) (+ out[t])
// where centre is the mean of x[t], or 0.
//   x f32 [T, columns]    weight, bias f32 [columns]    out f32 [T, columns]
// One workgroup a row. Parameters: centred, bias, last (only the step's last row, written to row 0), accumulate,
// workgroup_size, subgroups.
{% include "lib/step.wgsl" %}
struct Params {
    columns: u32,
    eps: f32,
}

var<uniform> params: Params;
var<uniform> step: Step;
var<storage, read> x: array<f32>;
var<storage, read> weight: array<f32>;
var<storage, read_write> out: array<f32>;
{% if bias %}
var<storage, read> bias: array<f32>;
{% endif %}

{% set reductions = ["sum"] %}
{% include "lib/reduce.wgsl" %}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    if group.x >= step.count {
        return;
    }
    {% if last %}
    let from_row = (step.count - 1u) * params.columns;
    let to_row = 0u;
    {% else %}
    let from_row = group.x * params.columns;
    let to_row = from_row;
    {% endif %}
    {% if centred %}
    var total = 0.0;
    for (var i = lane; i < params.columns; i += {{ workgroup_size }}u) {
        total += x[from_row + i];
    }
    let centre = workgroup_sum(total, lane) / f32(params.columns);
    {% endif %}
    var squares = 0.0;
    for (var i = lane; i < params.columns; i += {{ workgroup_size }}u) {
        let value = x[from_row + i]{{ " - centre" if centred }};
        squares += value * value;
    }
    let scale = inverseSqrt(workgroup_sum(squares, lane) / f32(params.columns) + params.eps);
    for (var i = lane; i < params.columns; i += {{ workgroup_size }}u) {
        let value = x[from_row + i]{{ " - centre" if centred }};
        out[to_row + i] = value * scale * weight[i]{{ " + bias[i]" if bias }}{{ " + out[to_row + i]" if accumulate }};
    }
}
