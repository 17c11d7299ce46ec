// Matrix times matrix, dense, on strided views: out[.., m, n] = sum_k a[.., m, k] b[.., k, n] (+ out[.., m, n]).
// A workgroup makes a tile of `tile` x `tile` of one product of the batch, each invocation 4 x 4 of it, walking 16
// elements of k at a time through workgroup memory (a tile of 64: 8.1 KiB). Workgroup (tile of n, tile of m, product).
// Parameters: tile, a_along_k, b_along_n (neighbouring invocations read along this dimension of a, of b: the one whose
// elements lie closest), accumulate.
{% include "lib/place.wgsl" %}
struct Params {
    shape: vec4<u32>, // products (two dimensions), rows m, columns n
    out: View,
    a: View,
    b: View,
    inner: u32, // elements k
}

var<uniform> params: Params;
var<storage, read_write> out: array<f32>;
var<storage, read> a: array<f32>;
var<storage, read> b: array<f32>;

const SIDE: u32 = {{ tile // 4 }}u; // invocations a side
const TILE: u32 = 4u * SIDE; // elements a side
const DEPTH: u32 = 16u;
const LINE: u32 = TILE + 1u; // one more than a line holds: its columns start in different memory banks

var<workgroup> a_tile: array<f32, DEPTH * LINE>;
var<workgroup> b_tile: array<f32, DEPTH * LINE>;

@compute @workgroup_size({{ (tile // 4) ** 2 }})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    let shape = params.shape;
    let product = vec4<u32>(group.z / shape.y, group.z % shape.y, 0u, 0u);
    let from_a = place(params.a, product);
    let from_b = place(params.b, product);
    let first_row = group.y * TILE;
    let first_column = group.x * TILE;
    let thread_column = index % SIDE;
    let thread_row = index / SIDE;
    {% for r in range(4) %}
    var sums_{{ r }} = vec4<f32>(0.0);
    {% endfor %}

    for (var start = 0u; start < params.inner; start += DEPTH) {
        for (var i = index; i < DEPTH * TILE; i += SIDE * SIDE) {
            let depth_a = {{ "i % DEPTH" if a_along_k else "i / TILE" }};
            let line_a = {{ "i / DEPTH" if a_along_k else "i % TILE" }};
            var value = 0.0;
            if start + depth_a < params.inner && first_row + line_a < shape.z {
                let line = from_a + (first_row + line_a) * params.a.strides.z;
                value = a[line + (start + depth_a) * params.a.strides.w];
            }
            a_tile[depth_a * LINE + line_a] = value;

            let depth_b = {{ "i / TILE" if b_along_n else "i % DEPTH" }};
            let line_b = {{ "i % TILE" if b_along_n else "i / DEPTH" }};
            value = 0.0;
            if start + depth_b < params.inner && first_column + line_b < shape.w {
                let line = from_b + (first_column + line_b) * params.b.strides.w;
                value = b[line + (start + depth_b) * params.b.strides.z];
            }
            b_tile[depth_b * LINE + line_b] = value;
        }
        workgroupBarrier();
        for (var k = 0u; k < DEPTH; k++) {
            let corner = k * LINE + thread_column;
            let right = vec4<f32>(b_tile[corner], b_tile[corner + SIDE], b_tile[corner + 2u * SIDE], b_tile[corner + 3u * SIDE]);
            {% for r in range(4) %}
            sums_{{ r }} += a_tile[k * LINE + thread_row + {{ r }}u * SIDE] * right;
            {% endfor %}
        }
        workgroupBarrier();
    }

    {% for r in range(4) %}
    for (var c = 0u; c < 4u; c++) {
        let row = first_row + thread_row + {{ r }}u * SIDE;
        let column = first_column + thread_column + c * SIDE;
        if row < shape.z && column < shape.w {
            let to = place(params.out, vec4<u32>(product.xy, row, column));
            out[to] = sums_{{ r }}[c]{{ " + out[to]" if accumulate }};
        }
    }
    {% endfor %}
}
