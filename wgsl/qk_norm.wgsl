// Queries and keys scaled to a root mean square of 1, times their weights, where they are: each head is a row, or all
// heads of a token are one. So are values, whose weights are 1, where there are workgroups for them.
//   qkv f32 [T, width]: q_rows rows of q_columns, k_rows of k_columns, then values, as many
//   weights f32 [q_columns + k_columns]
// One workgroup a row; workgroup (row, t). Parameters: weights (else they are all 1), workgroup_size, subgroups.
{% include "lib/step.wgsl" %}
struct Params {
    width: u32,
    q_rows: u32,
    k_rows: u32,
    q_columns: u32,
    k_columns: u32,
    eps: f32,
}

var<uniform> params: Params;
var<uniform> step: Step;
var<storage, read_write> qkv: array<f32>;
{% if weights %}
var<storage, read> weights: array<f32>;
{% endif %}

{% set reductions = ["sum"] %}
{% include "lib/reduce.wgsl" %}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    if group.y >= step.count {
        return;
    }
    var row = group.y * params.width + group.x * params.q_columns;
    var columns = params.q_columns;
    var weight = 0u;
    if group.x >= params.q_rows {
        row = group.y * params.width + params.q_rows * params.q_columns + (group.x - params.q_rows) * params.k_columns;
        columns = params.k_columns;
        weight = params.q_columns;
    }
    var squares = 0.0;
    for (var i = lane; i < columns; i += {{ workgroup_size }}u) {
        squares += qkv[row + i] * qkv[row + i];
    }
    let scale = inverseSqrt(workgroup_sum(squares, lane) / f32(columns) + params.eps);
    {% if weights %}
    if group.x < params.q_rows + params.k_rows {
        for (var i = lane; i < columns; i += {{ workgroup_size }}u) {
            qkv[row + i] *= scale * weights[weight + i];
        }
        return;
    }
    {% endif %}
    for (var i = lane; i < columns; i += {{ workgroup_size }}u) {
        qkv[row + i] *= scale;
    }
}
