// F32: 32 bytes a block of 8 elements. Plain numbers, read eight at a time.
// Parameter: tail (rows need not be a multiple of 8 long).
{% set span, summands, table, alignment, bytes = 1, false, false, (4 if tail else 16), false %}
{% include "lib/blocks.wgsl" %}
const BLOCK_ELEMENTS: u32 = 8u;
const BLOCK_BYTES: u32 = 32u;
const HIGH: u32 = 4u;

// The first element of octet `j` of span `span` within its block.
fn octet_offset(span: u32, j: u32) -> u32 {
    return 0u;
}

// The scales of span `span` of the block that begins at `byte`.
fn load_scales(byte: u32, span: u32) -> vec4<f32> {
    return vec4<f32>(1.0, 0.0, 1.0, 0.0);
}

// Octet `j` of that span, before its scales.
fn load_values(byte: u32, span: u32, j: u32) -> Octet {
    return Octet(bitcast<vec4<f32>>(load_4_words(byte)), bitcast<vec4<f32>>(load_4_words(byte + 16u)));
}
