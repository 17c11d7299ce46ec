// Matrix times vector, dense, on strided views: out[.., m] = sum_k a[.., m, k] x[.., k] (+ out[.., m]).
// LANES invocations share a row. Workgroup (rows, 1, product of the batch).
// Parameters: lanes, along_k (neighbouring invocations are the lanes of a row, which read along k; else they are rows,
// which read along m: whichever lies closest), accumulate, workgroup_size (a multiple of lanes).
{% include "lib/place.wgsl" %}
struct Params {
    shape: vec4<u32>, // products (two dimensions), rows m, elements k
    out: View,
    a: View,
    x: View,
}

var<uniform> params: Params;
var<storage, read_write> out: array<f32>;
var<storage, read> a: array<f32>;
var<storage, read> x: array<f32>;

const LANES: u32 = {{ lanes }}u;
const ROWS: u32 = {{ workgroup_size // lanes }}u;

var<workgroup> partial: array<f32, ROWS * LANES>;

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    let shape = params.shape;
    let product = vec4<u32>(group.z / shape.y, group.z % shape.y, 0u, 0u);
    let lane = {{ "index % LANES" if along_k else "index / ROWS" }};
    let line = {{ "index / LANES" if along_k else "index % ROWS" }};
    let row = group.x * ROWS + line;
    let from_a = place(params.a, product) + row * params.a.strides.z;
    let from_x = place(params.x, product);
    var sum = 0.0;
    if row < shape.z {
        for (var k = lane; k < shape.w; k += LANES) {
            sum += a[from_a + k * params.a.strides.w] * x[from_x + k * params.x.strides.w];
        }
    }
    partial[lane * ROWS + line] = sum;
    workgroupBarrier();
    for (var stride = LANES / 2u; stride > 0u; stride >>= 1u) {
        if lane < stride {
            partial[lane * ROWS + line] += partial[(lane + stride) * ROWS + line];
        }
        workgroupBarrier();
    }
    if lane == 0u && row < shape.z {
        let to = place(params.out, vec4<u32>(product.xy, row, 0u));
        out[to] = partial[line]{{ " + out[to]" if accumulate }};
    }
}
