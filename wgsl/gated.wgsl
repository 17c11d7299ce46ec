// Gated activation: out[t, i] = activation(x[t, i]) * x[t, width + i], the gate and up halves of a feed-forward layer.
//   x f32 [T, 2 width]    out f32 [T, width]
// One invocation an element; workgroup (x, t). Parameters: activation ("silu"), workgroup_size.
{% include "lib/step.wgsl" %}
struct Params {
    width: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: Step;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

fn silu(v: f32) -> f32 {
    return v / (1.0 + exp(-v));
}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.y >= step.count || id.x >= params.width {
        return;
    }
    let gate = id.y * 2u * params.width + id.x;
    out[id.y * params.width + id.x] = {{ activation }}(x[gate]) * x[gate + params.width];
}
