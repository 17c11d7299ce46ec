// IQ3_XXS: 98 bytes a block of 256 elements. f16 d; 64 bytes of grid numbers, four elements each; for each group of 32
// elements a u32: four times seven sign bits, 4 bits of scale.
// Value d (scale + 1/2) / 2 grid, signed.
{% set alignment = 2 %}
{% include "lib/blocks.wgsl" %}
{% include "lib/grid.wgsl" %}
const BLOCK_ELEMENTS: u32 = 256u;
const BLOCK_BYTES: u32 = 98u;
const HIGH: u32 = 4u;

// The first element of octet `octet` within its block.
fn octet_offset(octet: u32) -> u32 {
    return 8u * octet;
}

// Octet `octet` of the block at byte `at`.
fn dequantize(at: u32, octet: u32) -> Octet {
    let signs_and_scale = load_u32(at + 66u + 4u * (octet / 4u));
    let d = load_f16(at) * (0.5 + f32(signs_and_scale >> 28u)) * 0.5;
    let entries = load_u16(at + 2u + 2u * octet);
    let signs = even_signs((signs_and_scale >> (7u * (octet % 4u))) & 127u);
    return Octet(
        d * with_signs(grid_values(entries & 0xffu), signs, 0u),
        d * with_signs(grid_values(entries >> 8u), signs, 4u),
    );
}
