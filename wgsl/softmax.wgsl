// Softmax of each row of a view: out[row, i] = exp(x[row, i] - max) / sum of those.
// One workgroup a row. Parameters: in_place (x is out), rank, workgroup_size, subgroups.
{% include "lib/view.wgsl" %}
{% include "lib/workgroup_index.wgsl" %}
struct Params {
    shape: vec4<u32>,
    out: View,
    x: View,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
{% if not in_place %}
@group(0) @binding(2) var<storage, read> x: array<f32>;
{% endif %}

{% set reductions = ["sum", "max"] %}
{% include "lib/reduce.wgsl" %}

const LOWEST: f32 = -3.4028234e38;
{% set x = "out" if in_place else "x" %}

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
    let source = place(params.x, at);
    let target_row = place(params.out, at);
    var best = LOWEST;
    for (var i = lane; i < shape.w; i += {{ workgroup_size }}u) {
        best = max(best, {{ x }}[source + i * params.x.strides.w]);
    }
    let highest = workgroup_max(best, lane);
    var mass = 0.0;
    for (var i = lane; i < shape.w; i += {{ workgroup_size }}u) {
        mass += exp({{ x }}[source + i * params.x.strides.w] - highest);
    }
    let total = workgroup_sum(mass, lane);
    for (var i = lane; i < shape.w; i += {{ workgroup_size }}u) {
        let weight = exp({{ x }}[source + i * params.x.strides.w] - highest) / total;
        out[target_row + i * params.out.strides.w] = weight;
    }
}
