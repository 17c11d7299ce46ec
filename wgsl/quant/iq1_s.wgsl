// IQ1_S: 50 bytes a block of 256 elements. f16 d; 32 bytes, the lower 8 bits of grid numbers; for each group of 32
// elements a u16: four times the numbers' upper 3 bits, 3 bits of scale, the sign of delta.
// Value d (2 scale + 1) (grid + delta), delta +-1/8.
{% set span, summands, table, alignment, bytes = 4, true, shared_tables, 2, "unsigned" %}
{% include "lib/blocks.wgsl" %}
{% set grid_words = 2048 %}
{% include "lib/grid.wgsl" %}
const BLOCK_ELEMENTS: u32 = 256u;
const BLOCK_BYTES: u32 = 50u;
const HIGH: u32 = 4u;

// The first element of octet `j` of span `span` within its block.
fn octet_offset(span: u32, j: u32) -> u32 {
    return 32u * span + 8u * j;
}

// The scales of span `span` of the block that begins at `byte`.
fn load_scales(byte: u32, span: u32) -> vec4<f32> {
    let group = load_u16(byte + 34u + 2u * span);
    let d = load_f16(byte) * (2.0 * f32((group >> 12u) & 7u) + 1.0);
    return vec2<f32>(d, d * select(-0.875, -1.125, (group >> 15u) == 1u)).xyxy;
}

// The bytes of octet `j` of that span, before its scales.
fn load_bytes(byte: u32, span: u32, j: u32) -> vec2<u32> {
    let upper = (load_u16(byte + 34u + 2u * span) >> (3u * j)) & 7u;
    return grid_nibbles(((load_u32(byte + 2u + 4u * span, 0u) >> (8u * j)) & 0xffu) | (upper << 8u));
}
