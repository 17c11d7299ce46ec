// IQ1_S: 50 bytes a block of 256 elements. f16 d; 32 bytes, the lower 8 bits of grid numbers; for each group of 32
// elements a u16: four times the numbers' upper 3 bits, 3 bits of scale, the sign of delta.
// Value d (2 scale + 1) (grid + delta), delta +-1/8.
{% set alignment = 2 %}
{% include "lib/blocks.wgsl" %}
{% include "lib/grid.wgsl" %}
const BLOCK_ELEMENTS: u32 = 256u;
const BLOCK_BYTES: u32 = 50u;
const HIGH: u32 = 4u;

// The first element of octet `octet` within its block.
fn octet_offset(octet: u32) -> u32 {
    return 8u * octet;
}

// Octet `octet` of the block at byte `at`.
fn dequantize(at: u32, octet: u32) -> Octet {
    let group = load_u16(at + 34u + 2u * (octet / 4u));
    let d = load_f16(at) * (2.0 * f32((group >> 12u) & 7u) + 1.0);
    let delta = select(0.125, -0.125, (group >> 15u) == 1u);
    let upper = (group >> (3u * (octet % 4u))) & 7u;
    let entry = 2u * (load_u8(at + 2u + octet) | (upper << 8u));
    return Octet(d * (grid_values(entry) + delta), d * (grid_values(entry + 1u) + delta));
}
