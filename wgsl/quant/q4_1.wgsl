// Q4_1: 20 bytes a block of 32 elements. f16 d, f16 m; 16 bytes of nibbles, element i low and i + 16 high.
// Value d q + m.
{% set span, summands, table, alignment, bytes = 4, true, false, 4, "unsigned" %}
{% include "lib/blocks.wgsl" %}
const BLOCK_ELEMENTS: u32 = 32u;
const BLOCK_BYTES: u32 = 20u;
const HIGH: u32 = 16u;

// The first element of octet `j` of span `span` within its block.
fn octet_offset(span: u32, j: u32) -> u32 {
    return 4u * j;
}

// The scales of span `span` of the block that begins at `byte`.
fn load_scales(byte: u32, span: u32) -> vec4<f32> {
    return unpack2x16float(load_word(byte / 4u)).xyxy;
}

// The bytes of octet `j` of that span, before its scales.
fn load_bytes(byte: u32, span: u32, j: u32) -> vec2<u32> {
    let word = load_u32(byte + 4u, j);
    return vec2<u32>(word & 0x0f0f0f0fu, (word >> 4u) & 0x0f0f0f0fu);
}
