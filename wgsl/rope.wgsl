// Rotary position embedding of the rows of a step, on strided views: out[t, head] = x[t, head] turned by the angles of
// position + t. One invocation makes two neighbouring elements; workgroup (x over pairs of a head, head, t).
// Parameters: head_dim, rotary_dim, pairing (see lib/rotate.wgsl), workgroup_size.
{% include "lib/step.wgsl" %}
{% include "lib/place.wgsl" %}
struct Params {
    out: View, // dimensions 0, T, heads, head_dim
    x: View,
}

var<uniform> params: Params;
var<uniform> step: Step;
var<storage, read> x: array<f32>;
var<storage, read> rotations: array<vec2<f32>>;
var<storage, read_write> out: array<f32>;

fn element_of(head: u32, element: u32) -> f32 {
    return x[head + element * params.x.strides.w];
}

{% include "lib/rotated.wgsl" %}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let element = 2u * id.x;
    let t = id.z;
    if t >= step.count || element >= {{ head_dim }}u {
        return;
    }
    let pair = rotated(place(params.x, vec4<u32>(0u, t, id.y, 0u)), element, step.position + t);
    let to = place(params.out, vec4<u32>(0u, t, id.y, element));
    out[to] = pair.x;
    out[to + params.out.strides.w] = pair.y;
}
