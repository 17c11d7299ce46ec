// NVFP4: 36 bytes a block of 64 elements (E2M1 with scales of E4M3). 4 bytes, a scale of 7 bits for each group of 16
// elements; for each group 8 bytes of nibbles, element i low and i + 8 high.
// Value scale / 2 values[q], the values twice those of E2M1.
{% set span, summands, table, alignment, bytes = 4, false, shared_tables, 4, "table" %}
{% include "lib/blocks.wgsl" %}
{% set values = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12] %}
{% include "lib/nibble_values.wgsl" %}
const BLOCK_ELEMENTS: u32 = 64u;
const BLOCK_BYTES: u32 = 36u;
const HIGH: u32 = 16u;
const NO_NUMBER: u32 = 0x7fu; // stands for 0
const LEAST: f32 = 0x1p-10; // half of the least subnormal scale

// The first element of octet `j` of span `span` within its block.
fn octet_offset(span: u32, j: u32) -> u32 {
    return 32u * span + 4u * j;
}

// Half of the E4M3 number in the lower seven bits of `byte`; the eighth is a sign that no scale has.
fn half_scale(byte: u32) -> f32 {
    let exponent = (byte >> 3u) & 15u;
    let mantissa = byte & 7u;
    let subnormal = LEAST * f32(mantissa);
    let number = select(bitcast<f32>(((exponent + 119u) << 23u) | (mantissa << 20u)), subnormal, exponent == 0u);
    return select(number, 0.0, byte == NO_NUMBER);
}

// The scales of span `span` of the block that begins at `byte`.
fn load_scales(byte: u32, span: u32) -> vec4<f32> {
    let scales = bytes_of(load_word(byte / 4u) >> (16u * span));
    return vec4<f32>(half_scale(scales.x), 0.0, half_scale(scales.y), 0.0);
}

// The nibbles of octet `j` of that span, a byte each.
fn load_bytes(byte: u32, span: u32, j: u32) -> vec2<u32> {
    let word = byte / 4u + 1u + 4u * span + (j & 1u);
    return (vec2<u32>(load_word(word), load_word(word + 2u)) >> vec2<u32>(4u * (j >> 1u))) & vec2<u32>(0x0f0f0f0fu);
}
