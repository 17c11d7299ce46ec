// IQ2_S: 82 bytes a block of 256 elements. f16 d; 32 bytes, the lower 8 bits of grid numbers; 32 bytes of signs; 8
// bytes, the numbers' upper bit pairs; 8 bytes of scales, a nibble a group of 16 elements.
// Value d (scale + 1/2) / 4 grid, signed.
{% set alignment = 2 %}
{% include "lib/blocks.wgsl" %}
{% include "lib/grid.wgsl" %}
const BLOCK_ELEMENTS: u32 = 256u;
const BLOCK_BYTES: u32 = 82u;
const HIGH: u32 = 4u;

// The first element of octet `octet` within its block.
fn octet_offset(octet: u32) -> u32 {
    return 8u * octet;
}

// Octet `octet` of the block at byte `at`.
fn dequantize(at: u32, octet: u32) -> Octet {
    let d = load_f16(at) * (0.5 + f32(load_nibble(at + 74u, octet / 2u))) * 0.25;
    let upper = (load_u8(at + 66u + octet / 4u) >> (2u * (octet % 4u))) & 3u;
    let entry = 2u * (load_u8(at + 2u + octet) | (upper << 8u));
    let signs = load_u8(at + 34u + octet);
    return Octet(d * with_signs(grid_values(entry), signs, 0u), d * with_signs(grid_values(entry + 1u), signs, 4u));
}
