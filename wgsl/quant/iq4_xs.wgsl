// IQ4_XS: 136 bytes a block of 256 elements. f16 d; u16 of the scales' upper bit pairs; 4 bytes of their lower nibbles,
// one a group of 32; 128 bytes of nibbles, element i of a group low and i + 16 high.
// Value d (scale - 32) values[q], the values of IQ4_NL.
{% set span, summands, table, alignment, bytes = 4, false, shared_tables, 4, "table" %}
{% include "lib/blocks.wgsl" %}
{% set values = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113] %}
{% include "lib/nibble_values.wgsl" %}
const BLOCK_ELEMENTS: u32 = 256u;
const BLOCK_BYTES: u32 = 136u;
const HIGH: u32 = 16u;

// The first element of octet `j` of span `span` within its block.
fn octet_offset(span: u32, j: u32) -> u32 {
    return 32u * span + 4u * j;
}

// The scales of span `span` of the block that begins at `byte`.
fn load_scales(byte: u32, span: u32) -> vec4<f32> {
    let head = load_word(byte / 4u);
    let lower = (load_word(byte / 4u + 1u) >> (4u * span)) & 15u;
    let upper = (head >> (16u + 2u * span)) & 3u;
    return vec2<f32>(unpack2x16float(head).x * (f32(lower | (upper << 4u)) - 32.0), 0.0).xyxy;
}

// The nibbles of octet `j` of that span, a byte each.
fn load_bytes(byte: u32, span: u32, j: u32) -> vec2<u32> {
    let word = load_word(byte / 4u + 2u + 4u * span + j);
    return vec2<u32>(word, word >> 4u) & vec2<u32>(0x0f0f0f0fu);
}
