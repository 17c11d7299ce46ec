// IQ1_M: 56 bytes a block of 256 elements. 32 bytes, the lower 8 bits of grid numbers; 16 bytes, a nibble a number: its
// upper 3 bits, the sign of delta; four u16: four times 3 bits of scale, one a group of 16 elements, and in its
// uppermost nibble a fourth of f16 d.
// Value d (2 scale + 1) (grid + delta), delta +-1/8.
{% set alignment = 4 %}
{% include "lib/blocks.wgsl" %}
{% include "lib/grid.wgsl" %}
const BLOCK_ELEMENTS: u32 = 256u;
const BLOCK_BYTES: u32 = 56u;
const HIGH: u32 = 4u;

// The first element of octet `octet` within its block.
fn octet_offset(octet: u32) -> u32 {
    return 8u * octet;
}

// Octet `octet` of the block at byte `at`.
fn dequantize(at: u32, octet: u32) -> Octet {
    let parts = vec2<u32>(load_word(at / 4u + 12u), load_word(at / 4u + 13u));
    let lower = ((parts.x >> 12u) & 0xfu) | ((parts.x >> 24u) & 0xf0u);
    let upper = ((parts.y >> 4u) & 0xf00u) | ((parts.y >> 16u) & 0xf000u);
    let scale = (load_u16(at + 48u + 2u * (octet / 8u)) >> (3u * ((octet / 2u) % 4u))) & 7u;
    let d = unpack2x16float(lower | upper).x * (2.0 * f32(scale) + 1.0);
    let nibble = load_nibble(at + 32u, octet);
    let delta = select(0.125, -0.125, (nibble >> 3u) == 1u);
    let entry = 2u * (load_u8(at + octet) | ((nibble & 7u) << 8u));
    return Octet(d * (grid_values(entry) + delta), d * (grid_values(entry + 1u) + delta));
}
