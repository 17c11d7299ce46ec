// Q8_K: 292 bytes a block of 256 elements. f32 d; 256 signed bytes; 16 i16 sums of 16 elements each, not needed here.
// Value d q.
{% set span, summands, table, alignment, bytes = 4, false, false, 4, "signed" %}
{% include "lib/blocks.wgsl" %}
const BLOCK_ELEMENTS: u32 = 256u;
const BLOCK_BYTES: u32 = 292u;
const HIGH: u32 = 4u;

// The first element of octet `j` of span `span` within its block.
fn octet_offset(span: u32, j: u32) -> u32 {
    return 32u * span + 8u * j;
}

// The scales of span `span` of the block that begins at `byte`.
fn load_scales(byte: u32, span: u32) -> vec4<f32> {
    return vec2<f32>(bitcast<f32>(load_word(byte / 4u)), 0.0).xyxy;
}

// The bytes of octet `j` of that span, before its scales.
fn load_bytes(byte: u32, span: u32, j: u32) -> vec2<u32> {
    let first = byte + 4u + 32u * span;
    return vec2<u32>(load_u32(first, 2u * j), load_u32(first, 2u * j + 1u));
}
