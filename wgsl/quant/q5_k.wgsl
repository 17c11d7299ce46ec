// Q5_K: 176 bytes a block of 256 elements. f16 d, f16 dmin; 12 bytes of group scales and minima as in Q4_K; 32 bytes of
// fifth bits, bit g of byte i for element i of group g; 128 bytes of nibbles as in Q4_K.
// Value d scale q - dmin minimum.
{% set span, summands, table, alignment, bytes = 4, true, false, 16, "unsigned" %}
{% include "lib/blocks.wgsl" %}
{% include "lib/k_scales.wgsl" %}
const BLOCK_ELEMENTS: u32 = 256u;
const BLOCK_BYTES: u32 = 176u;
const HIGH: u32 = 32u;

// The first element of octet `j` of span `span` within its block.
fn octet_offset(span: u32, j: u32) -> u32 {
    return 64u * (span / 2u) + 16u * (span % 2u) + 4u * j;
}

// The scales of span `span` of the block that begins at `byte`.
fn load_scales(byte: u32, span: u32) -> vec4<f32> {
    return vec4<f32>(1.0, -1.0, 1.0, -1.0) * group_scales(load_4_words(byte), span / 2u);
}

// The bytes of octet `j` of that span, before its scales.
fn load_bytes(byte: u32, span: u32, j: u32) -> vec2<u32> {
    let fifth = load_4_words(byte + 16u + 16u * (span % 2u))[j] >> (2u * (span / 2u));
    let word = load_4_words(byte + 48u + 16u * span)[j];
    return vec2<u32>(
        (word & 0x0f0f0f0fu) | ((fifth & 0x01010101u) << 4u),
        ((word >> 4u) & 0x0f0f0f0fu) | (((fifth >> 1u) & 0x01010101u) << 4u),
    );
}
