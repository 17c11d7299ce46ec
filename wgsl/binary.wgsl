// Arithmetic of two views, element by element: out[i] = a[i] operation b[i]; for "copy", out[i] = b[i].
// One invocation an element. Parameters: operation ("add", "sub", "mul", "div", "copy"), assign (a is out), rank,
// workgroup_size.
{% include "lib/each_element.wgsl" %}
struct Params {
    shape: vec4<u32>,
    out: View,
    a: View,
    b: View,
}

var<uniform> params: Params;
var<storage, read_write> out: array<f32>;
var<storage, read> b: array<f32>;
{% if not assign %}
var<storage, read> a: array<f32>;
{% endif %}

fn element_main(element: vec4<u32>) {
    let right = b[place(params.b, element)];
    {% if operation == "copy" %}
    out[place(params.out, element)] = right;
    {% else %}
    let left = {{ "out" if assign else "a" }}[place(params.a, element)];
    out[place(params.out, element)] = left {{ {"add": "+", "sub": "-", "mul": "*", "div": "/"}[operation] }} right;
    {% endif %}
}
