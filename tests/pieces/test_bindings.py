from py_wgml import wgsl

CODE = """
struct Params { // of no use
    columns: u32,
    eps: f32, // a comment, with a comma
    first: i32,
}
struct Nested {
    params: Params,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(3) var<uniform> nested: Nested;
@group(0) @binding(4) var<storage, read_write> counts: array<atomic<u32>>;
var<workgroup> shared_memory: array<f32, 4>;
"""


def test_bindings_and_their_sizes():
    assert wgsl.bindings(CODE) == ("uniform", "read", "read_write", "uniform", "read_write")
    assert wgsl.minimum_sizes(CODE) == (12, 4, 16, 0, 0)
