// MXFP4: 17 bytes a block of 32 elements (OCP Microscaling Formats 1.0, E2M1 with an E8M0 scale). A byte e; 16 bytes of
// nibbles, element i low and i + 16 high.
// Value 2^(e - 128) values[q], the values twice those of E2M1.
{% set span, summands, table, alignment, bytes = 4, false, shared_tables, 1, "table" %}
{% include "lib/blocks.wgsl" %}
{% set values = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12] %}
{% include "lib/nibble_values.wgsl" %}
const BLOCK_ELEMENTS: u32 = 32u;
const BLOCK_BYTES: u32 = 17u;
const HIGH: u32 = 16u;

// The first element of octet `j` of span `span` within its block.
fn octet_offset(span: u32, j: u32) -> u32 {
    return 4u * j;
}

// The scales of span `span` of the block that begins at `byte`.
fn load_scales(byte: u32, span: u32) -> vec4<f32> {
    let exponent = load_u8(byte);
    // The two smallest powers are subnormal numbers.
    return vec2<f32>(bitcast<f32>(select((exponent - 1u) << 23u, 0x00200000u << exponent, exponent < 2u)), 0.0).xyxy;
}

// The nibbles of octet `j` of that span, a byte each.
fn load_bytes(byte: u32, span: u32, j: u32) -> vec2<u32> {
    let word = load_u32(byte + 1u, j);
    return vec2<u32>(word, word >> 4u) & vec2<u32>(0x0f0f0f0fu);
}
