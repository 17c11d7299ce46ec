// IQ3_XXS: 98 bytes a block of 256 elements. f16 d; 64 bytes of grid numbers, four elements each; for each group of 32
// elements a u32: four times seven sign bits, 4 bits of scale.
// Value d (scale + 1/2) / 2 grid, signed.
{% set span, summands, table, alignment, bytes = 4, false, shared_tables, 2, "signed" %}
{% include "lib/blocks.wgsl" %}
{% set grid_words = 256 %}
{% include "lib/grid.wgsl" %}
const BLOCK_ELEMENTS: u32 = 256u;
const BLOCK_BYTES: u32 = 98u;
const HIGH: u32 = 4u;

// The first element of octet `j` of span `span` within its block.
fn octet_offset(span: u32, j: u32) -> u32 {
    return 32u * span + 8u * j;
}

// The scales of span `span` of the block that begins at `byte`.
fn load_scales(byte: u32, span: u32) -> vec4<f32> {
    return vec2<f32>(load_f16(byte) * (0.5 + f32(load_u32(byte + 66u + 4u * span, 0u) >> 28u)) * 0.5, 0.0).xyxy;
}

// The bytes of octet `j` of that span, before its scales.
fn load_bytes(byte: u32, span: u32, j: u32) -> vec2<u32> {
    let entries = load_u32(byte + 2u + 8u * span, j / 2u) >> (16u * (j % 2u));
    let signs = even_signs((load_u32(byte + 66u + 4u * span, 0u) >> (7u * j)) & 127u);
    return vec2<u32>(
        with_signs(grid_word(entries & 0xffu), signs),
        with_signs(grid_word((entries >> 8u) & 0xffu), signs >> 4u),
    );
}
