// Q1_0: 18 bytes a block of 128 elements. f16 d; 16 bytes of bits, the lowest of a byte first.
// Value d where the bit is set, else -d.
{% set span, summands, table, alignment, bytes = 4, false, false, 2, "signed" %}
{% include "lib/blocks.wgsl" %}
const BLOCK_ELEMENTS: u32 = 128u;
const BLOCK_BYTES: u32 = 18u;
const HIGH: u32 = 4u;

// The first element of octet `j` of span `span` within its block.
fn octet_offset(span: u32, j: u32) -> u32 {
    return 32u * span + 8u * j;
}

// The scales of span `span` of the block that begins at `byte`.
fn load_scales(byte: u32, span: u32) -> vec4<f32> {
    return vec2<f32>(load_f16(byte), 0.0).xyxy;
}

// The bytes of octet `j` of that span, before its scales: a bit makes 1 of a byte of -1.
fn load_bytes(byte: u32, span: u32, j: u32) -> vec2<u32> {
    let bits = load_u32(byte + 2u, span) >> (8u * j);
    return ~(0xfeu * vec2<u32>(spread_bits(bits), spread_bits(bits >> 4u)));
}
