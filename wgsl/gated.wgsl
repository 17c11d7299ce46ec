// Gated activation: out[r, i] = activation(gates[r, i]) * values[r, i], as of a feed-forward layer.
//   gates f32 [R, gates_stride], of which columns gates_first .. gates_first + width; values likewise
//   out f32 [R, width]
// A token has `repeat` rows. One invocation an element; workgroup (x, row). Parameters: function (of lib/gate.wgsl),
// workgroup_size.
{% include "lib/step.wgsl" %}
struct Params {
    width: u32,
    repeat: u32,
    gates_first: u32,
    gates_stride: u32,
    values_first: u32,
    values_stride: u32,
}

var<uniform> params: Params;
var<uniform> step: Step;
var<storage, read> gates: array<f32>;
var<storage, read> values: array<f32>;
var<storage, read_write> out: array<f32>;

{% include "lib/gate.wgsl" %}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.y >= step.count * params.repeat || id.x >= params.width {
        return;
    }
    let of_gate = id.y * params.gates_stride + params.gates_first + id.x;
    let of_value = id.y * params.values_stride + params.values_first + id.x;
    out[id.y * params.width + id.x] = gate(gates[of_gate], values[of_value]);
}
