// IQ4_NL: 18 bytes a block of 32 elements. f16 d; 16 bytes of nibbles, element i low and i + 16 high.
// Value d values[q].
{% set span, summands, table, alignment, bytes = 4, false, shared_tables, 2, "table" %}
{% include "lib/blocks.wgsl" %}
{% set values = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113] %}
{% include "lib/nibble_values.wgsl" %}
const BLOCK_ELEMENTS: u32 = 32u;
const BLOCK_BYTES: u32 = 18u;
const HIGH: u32 = 16u;

// The first element of octet `j` of span `span` within its block.
fn octet_offset(span: u32, j: u32) -> u32 {
    return 4u * j;
}

// The scales of span `span` of the block that begins at `byte`.
fn load_scales(byte: u32, span: u32) -> vec4<f32> {
    return vec2<f32>(load_f16(byte), 0.0).xyxy;
}

// The nibbles of octet `j` of that span, a byte each.
fn load_bytes(byte: u32, span: u32, j: u32) -> vec2<u32> {
    let word = load_u32(byte + 2u, j);
    return vec2<u32>(word, word >> 4u) & vec2<u32>(0x0f0f0f0fu);
}
