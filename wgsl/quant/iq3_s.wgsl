// IQ3_S: 110 bytes a block of 256 elements. f16 d; 64 bytes, the lower 8 bits of grid numbers, four elements each; 8
// bytes of their ninth bits; 32 bytes of signs; 4 bytes of scales, a nibble a group of 32 elements.
// Value d (2 scale + 1) grid, signed.
{% set span, summands, table, alignment, bytes = 4, false, shared_tables, 2, "signed" %}
{% include "lib/blocks.wgsl" %}
{% set grid_words = 512 %}
{% include "lib/grid.wgsl" %}
const BLOCK_ELEMENTS: u32 = 256u;
const BLOCK_BYTES: u32 = 110u;
const HIGH: u32 = 4u;

// The first element of octet `j` of span `span` within its block.
fn octet_offset(span: u32, j: u32) -> u32 {
    return 32u * span + 8u * j;
}

// The scales of span `span` of the block that begins at `byte`.
fn load_scales(byte: u32, span: u32) -> vec4<f32> {
    return vec2<f32>(load_f16(byte) * (1.0 + 2.0 * f32(load_nibble(byte + 106u, span))), 0.0).xyxy;
}

// The bytes of octet `j` of that span, before its scales.
fn load_bytes(byte: u32, span: u32, j: u32) -> vec2<u32> {
    let lower = load_u32(byte + 2u + 8u * span, j / 2u) >> (16u * (j % 2u));
    let ninths = load_u8(byte + 66u + span) >> (2u * j);
    let signs = load_u32(byte + 74u + 4u * span, 0u) >> (8u * j);
    return vec2<u32>(
        with_signs(grid_word((lower & 0xffu) | ((ninths & 1u) << 8u)), signs),
        with_signs(grid_word(((lower >> 8u) & 0xffu) | ((ninths & 2u) << 7u)), signs >> 4u),
    );
}
