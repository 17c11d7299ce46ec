// A function of each element of a view: out[i] = function(x[i], a, b).
// One invocation an element. Parameters: function, in_place (x is out), rank, workgroup_size.
{% include "lib/each_element.wgsl" %}
{% include "lib/activations.wgsl" %}
struct Params {
    shape: vec4<u32>,
    out: View,
    x: View,
    a: f32,
    b: f32,
}

var<uniform> params: Params;
var<storage, read_write> out: array<f32>;
{% if not in_place %}
var<storage, read> x: array<f32>;
{% endif %}

fn element_main(element: vec4<u32>) {
    let value = {{ "out" if in_place else "x" }}[place(params.x, element)];
    out[place(params.out, element)] = activation(value, params.a, params.b);
}
