// The k largest elements of each row of a view, largest first, the first of equals first: their places in the row, and
// themselves. One workgroup a row; each of its k passes over the row finds the largest of those that come after the one
// found before. Parameters: with_values, rank (2 to 4), workgroup_size, subgroups.
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

const LOWEST: f32 = -3.4028234e38;

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
    var last = 0.0;
    var last_id = 0u;
    for (var j = 0u; j < params.k; j++) {
        var best = LOWEST;
        var best_id = shape.w;
        for (var i = lane; i < shape.w; i += {{ workgroup_size }}u) {
            let value = x[from_x + i * params.x.strides.w];
            let is_after = j == 0u || value < last || (value == last && i > last_id);
            if is_after && (value > best || best_id == shape.w) {
                best = value;
                best_id = i;
            }
        }
        // Of equals the lowest place (places are exact in f32 up to 2^24).
        last = workgroup_max(best, lane);
        last_id = u32(-workgroup_max(select(LOWEST, -f32(best_id), best == last && best_id < shape.w), lane));
        if lane == 0u {
            ids[place(params.ids, at) + j * params.ids.strides.w] = last_id;
            {% if with_values %}
            values[place(params.values, at) + j * params.values.strides.w] = last;
            {% endif %}
        }
    }
}
