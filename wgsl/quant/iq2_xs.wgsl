// IQ2_XS: 74 bytes a block of 256 elements. f16 d; 32 u16, nine bits of grid number and seven sign bits; 8 bytes of
// scales, a nibble a group of 16 elements.
// Value d (scale + 1/2) / 4 grid, signed.
{% set span, summands, table, alignment, bytes = 2, false, shared_tables, 2, "signed" %}
{% include "lib/blocks.wgsl" %}
{% set grid_words = 1024 %}
{% include "lib/grid.wgsl" %}
const BLOCK_ELEMENTS: u32 = 256u;
const BLOCK_BYTES: u32 = 74u;
const HIGH: u32 = 4u;

// The first element of octet `j` of span `span` within its block.
fn octet_offset(span: u32, j: u32) -> u32 {
    return 16u * span + 8u * j;
}

// The scales of span `span` of the block that begins at `byte`.
fn load_scales(byte: u32, span: u32) -> vec4<f32> {
    return vec2<f32>(load_f16(byte) * (0.5 + f32(load_nibble(byte + 66u, span))) * 0.25, 0.0).xyxy;
}

// The bytes of octet `j` of that span, before its scales.
fn load_bytes(byte: u32, span: u32, j: u32) -> vec2<u32> {
    let code = (load_u32(byte + 2u + 4u * span, 0u) >> (16u * j)) & 0xffffu;
    let entry = 2u * (code & 511u);
    let signs = even_signs(code >> 9u);
    return vec2<u32>(with_signs(grid_word(entry), signs), with_signs(grid_word(entry + 1u), signs >> 4u));
}
