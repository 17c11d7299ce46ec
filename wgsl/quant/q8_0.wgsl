// Q8_0: 34 bytes a block of 32 elements. f16 d; 32 signed bytes.
// Value d q.
{% set span, summands, table, alignment, bytes = 4, false, false, 2, "signed" %}
{% include "lib/blocks.wgsl" %}
const BLOCK_ELEMENTS: u32 = 32u;
const BLOCK_BYTES: u32 = 34u;
const HIGH: u32 = 4u;

// The first element of octet `j` of span `span` within its block.
fn octet_offset(span: u32, j: u32) -> u32 {
    return 8u * j;
}

// The scales of span `span` of the block that begins at `byte`.
fn load_scales(byte: u32, span: u32) -> vec4<f32> {
    return vec2<f32>(load_f16(byte), 0.0).xyxy;
}

// The bytes of octet `j` of that span, before its scales.
fn load_bytes(byte: u32, span: u32, j: u32) -> vec2<u32> {
    return vec2<u32>(load_u32(byte + 2u, 2u * j), load_u32(byte + 2u, 2u * j + 1u));
}
