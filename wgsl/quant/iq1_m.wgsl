// IQ1_M: 56 bytes a block of 256 elements. 32 bytes, the lower 8 bits of grid numbers; 16 bytes, a nibble a number: its
// upper 3 bits, the sign of delta; four u16: four times 3 bits of scale, one a group of 16 elements, and in its
// uppermost nibble a fourth of f16 d.
// Value d (2 scale + 1) (grid + delta), delta +-1/8.
{% set span, summands, table, alignment, bytes = 2, false, shared_tables, 4, false %}
{% include "lib/blocks.wgsl" %}
{% set grid_words = 2048 %}
{% include "lib/grid.wgsl" %}
const BLOCK_ELEMENTS: u32 = 256u;
const BLOCK_BYTES: u32 = 56u;
const HIGH: u32 = 4u;

// The first element of octet `j` of span `span` within its block.
fn octet_offset(span: u32, j: u32) -> u32 {
    return 16u * span + 8u * j;
}

// The scales of span `span` of the block that begins at `byte`.
fn load_scales(byte: u32, span: u32) -> vec4<f32> {
    let parts = vec2<u32>(load_word(byte / 4u + 12u), load_word(byte / 4u + 13u));
    let lower = ((parts.x >> 12u) & 0xfu) | ((parts.x >> 24u) & 0xf0u);
    let upper = ((parts.y >> 4u) & 0xf00u) | ((parts.y >> 16u) & 0xf000u);
    let scale = (load_u16(byte + 48u + 2u * (span / 4u)) >> (3u * (span % 4u))) & 7u;
    return vec2<f32>(unpack2x16float(lower | upper).x * (2.0 * f32(scale) + 1.0), 0.0).xyxy;
}

// Octet `j` of that span, before its scales.
fn load_values(byte: u32, span: u32, j: u32) -> Octet {
    let nibble = load_u8(byte + 32u + span) >> (4u * j);
    let delta = select(-0.875, -1.125, (nibble & 8u) != 0u);
    let octet = grid_nibbles(((load_u16(byte + 2u * span) >> (8u * j)) & 0xffu) | ((nibble & 7u) << 8u));
    return Octet(floats_of(octet.x) + delta, floats_of(octet.y) + delta);
}
