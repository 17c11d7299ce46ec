// Gated activation: out[t, i] = activation(x[t, i]) * x[t, width + i], the gate and up halves of a feed-forward layer.
//   x f32 [T, 2 width]    out f32 [T, width]
// A token has `repeat` rows. One invocation an element; workgroup (x, row). Parameters: function (of lib/gate.wgsl),
// workgroup_size.
{% include "lib/step.wgsl" %}
struct Params {
    width: u32,
    repeat: u32,
}

var<uniform> params: Params;
var<uniform> step: Step;
var<storage, read> x: array<f32>;
var<storage, read_write> out: array<f32>;

{% include "lib/gate.wgsl" %}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.y >= step.count * params.repeat || id.x >= params.width {
        return;
    }
    let index = id.y * 2u * params.width + id.x;
    out[id.y * params.width + id.x] = gate(x[index], x[index + params.width]);
}
