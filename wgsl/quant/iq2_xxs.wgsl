// IQ2_XXS: 66 bytes a block of 256 elements. f16 d; for each group of 32 elements, 4 bytes of grid numbers and a u32:
// four times seven sign bits, 4 bits of scale.
// Value d (scale + 1/2) / 4 grid, signed.
{% set alignment = 2 %}
{% include "lib/blocks.wgsl" %}
{% include "lib/grid.wgsl" %}
const BLOCK_ELEMENTS: u32 = 256u;
const BLOCK_BYTES: u32 = 66u;
const HIGH: u32 = 4u;

// The first element of octet `octet` within its block.
fn octet_offset(octet: u32) -> u32 {
    return 8u * octet;
}

// Octet `octet` of the block at byte `at`.
fn dequantize(at: u32, octet: u32) -> Octet {
    let group = load_2_words(at + 2u + 8u * (octet / 4u));
    let d = load_f16(at) * (0.5 + f32(group.y >> 28u)) * 0.25;
    let entry = 2u * ((group.x >> (8u * (octet % 4u))) & 0xffu);
    let signs = even_signs((group.y >> (7u * (octet % 4u))) & 127u);
    return Octet(d * with_signs(grid_values(entry), signs, 0u), d * with_signs(grid_values(entry + 1u), signs, 4u));
}
