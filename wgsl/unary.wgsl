// A function of each element of a view: out[i] = function(x[i], a, b).
// One invocation an element. Parameters: function, in_place (x is out), rank, workgroup_size.
{% include "lib/view.wgsl" %}
{% include "lib/activations.wgsl" %}
{% include "lib/workgroup_index.wgsl" %}
struct Params {
    shape: vec4<u32>,
    out: View,
    x: View,
    a: f32,
    b: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
{% if not in_place %}
@group(0) @binding(2) var<storage, read> x: array<f32>;
{% endif %}

@compute @workgroup_size({{ workgroup_size }})
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let shape = params.shape;
    let index = workgroup_index(group, groups) * {{ workgroup_size }}u + lane;
    if index >= shape.x * shape.y * shape.z * shape.w {
        return;
    }
    let at = coordinates(index, shape);
    let value = {{ "out" if in_place else "x" }}[place(params.x, at)];
    out[place(params.out, at)] = activation(value, params.a, params.b);
}
