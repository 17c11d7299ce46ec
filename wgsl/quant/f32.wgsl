// F32: 32 bytes a block of 8 elements. Plain numbers, read eight at a time.
// Parameter: tail (rows need not be a multiple of 8 long).
{% set alignment = 4 if tail else 16 %}
{% include "lib/blocks.wgsl" %}
const BLOCK_ELEMENTS: u32 = 8u;
const BLOCK_BYTES: u32 = 32u;
const HIGH: u32 = 4u;

// The first element of octet `octet` within its block.
fn octet_offset(octet: u32) -> u32 {
    return 8u * octet;
}

// Octet `octet` of the block at byte `at`.
fn dequantize(at: u32, octet: u32) -> Octet {
    let first = at + 32u * octet;
    return Octet(bitcast<vec4<f32>>(load_4_words(first)), bitcast<vec4<f32>>(load_4_words(first + 16u)));
}
