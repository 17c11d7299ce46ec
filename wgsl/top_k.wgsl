// The k largest elements of each row of a view, largest first, the first of equals first: their places in the row, and
// themselves. One workgroup a row, which passes k times over it.
// Parameters: with_values, rank, workgroup_size, subgroups.
{% include "lib/view.wgsl" %}
{% include "lib/workgroup_index.wgsl" %}
struct Params {
    shape: vec4<u32>,
    ids: View,
    values: View,
    x: View,
    k: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> ids: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
{% if with_values %}
@group(0) @binding(3) var<storage, read_write> values: array<f32>;
{% endif %}

{% set reductions = ["max"] %}
{% include "lib/reduce.wgsl" %}

fn element_of(row: u32, i: u32) -> f32 {
    return x[row + i * params.x.strides.w];
}

{% include "lib/next_largest.wgsl" %}

@compute @workgroup_size({{ workgroup_size }})
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let shape = params.shape;
    let row = workgroup_index(group, groups);
    if row >= shape.x * shape.y * shape.z {
        return;
    }
    let at = coordinates(row * shape.w, shape);
    let from_x = place(params.x, at);
    var found = Ranked(0.0, 0u);
    for (var j = 0u; j < params.k; j++) {
        found = next_largest(from_x, shape.w, j == 0u, found, lane);
        if lane == 0u {
            ids[place(params.ids, at) + j * params.ids.strides.w] = found.id;
            {% if with_values %}
            values[place(params.values, at) + j * params.values.strides.w] = found.value;
            {% endif %}
        }
    }
}
