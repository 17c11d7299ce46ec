// IQ2_S: 82 bytes a block of 256 elements. f16 d; 32 bytes, the lower 8 bits of grid numbers; 32 bytes of signs; 8
// bytes, the numbers' upper bit pairs; 8 bytes of scales, a nibble a group of 16 elements.
// Value d (scale + 1/2) / 4 grid, signed.
{% set span, summands, table, alignment, bytes = 2, false, shared_tables, 2, "signed" %}
{% include "lib/blocks.wgsl" %}
{% set grid_words = 2048 %}
{% include "lib/grid.wgsl" %}
const BLOCK_ELEMENTS: u32 = 256u;
const BLOCK_BYTES: u32 = 82u;
const HIGH: u32 = 4u;

// The first element of octet `j` of span `span` within its block.
fn octet_offset(span: u32, j: u32) -> u32 {
    return 16u * span + 8u * j;
}

// The scales of span `span` of the block that begins at `byte`.
fn load_scales(byte: u32, span: u32) -> vec4<f32> {
    return vec2<f32>(load_f16(byte) * (0.5 + f32(load_nibble(byte + 74u, span))) * 0.25, 0.0).xyxy;
}

// The bytes of octet `j` of that span, before its scales.
fn load_bytes(byte: u32, span: u32, j: u32) -> vec2<u32> {
    let lower = (load_u16(byte + 2u + 2u * span) >> (8u * j)) & 0xffu;
    let upper = (load_u8(byte + 66u + span / 2u) >> (4u * (span % 2u) + 2u * j)) & 3u;
    let entry = 2u * (lower | (upper << 8u));
    let signs = load_u16(byte + 34u + 2u * span) >> (8u * j);
    return vec2<u32>(with_signs(grid_word(entry), signs), with_signs(grid_word(entry + 1u), signs >> 4u));
}
