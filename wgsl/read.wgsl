// Reads all of a buffer, as fast as the GPU can, and does next to nothing with it: what its memory bandwidth is
// measured with. Neighbours read neighbouring quads.
//   data u32 [quads, 4]    out u32 [invocations]
// Parameters: workgroup_size.
struct Params {
    quads: u32,
    invocations: u32,
}

var<uniform> params: Params;
var<storage, read> data: array<vec4<u32>>;
var<storage, read_write> out: array<u32>;

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    var mixed = vec4<u32>(0u);
    for (var i = id.x; i < params.quads; i += params.invocations) {
        mixed ^= data[i];
    }
    out[id.x] = mixed.x ^ mixed.y ^ mixed.z ^ mixed.w;
}
