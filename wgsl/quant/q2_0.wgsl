// Q2_0: 18 bytes a block of 64 elements. f16 d; 16 bytes of bit pairs, the lowest of a byte first.
// Value d (q - 1).
{% set span, summands, table, alignment, bytes = 4, true, false, 2, "unsigned" %}
{% include "lib/blocks.wgsl" %}
const BLOCK_ELEMENTS: u32 = 64u;
const BLOCK_BYTES: u32 = 18u;
const HIGH: u32 = 4u;

// The first element of octet `j` of span `span` within its block.
fn octet_offset(span: u32, j: u32) -> u32 {
    return 32u * span + 8u * j;
}

// The four pairs of the lowest byte of `pairs`, one a byte.
fn spread_pairs(pairs: u32) -> u32 {
    let byte = pairs & 0xffu;
    return (byte | (byte << 6u) | (byte << 12u) | (byte << 18u)) & 0x03030303u;
}

// The scales of span `span` of the block that begins at `byte`.
fn load_scales(byte: u32, span: u32) -> vec4<f32> {
    let d = load_f16(byte);
    return vec2<f32>(d, -d).xyxy;
}

// The bytes of octet `j` of that span, before its scales.
fn load_bytes(byte: u32, span: u32, j: u32) -> vec2<u32> {
    let pairs = load_u16(byte + 2u + 8u * span + 2u * j);
    return vec2<u32>(spread_pairs(pairs), spread_pairs(pairs >> 8u));
}
