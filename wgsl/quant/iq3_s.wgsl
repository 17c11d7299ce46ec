// IQ3_S: 110 bytes a block of 256 elements. f16 d; 64 bytes, the lower 8 bits of grid numbers, four elements each; 8
// bytes of their ninth bits; 32 bytes of signs; 4 bytes of scales, a nibble a group of 32 elements.
// Value d (2 scale + 1) grid, signed.
{% set alignment = 2 %}
{% include "lib/blocks.wgsl" %}
{% include "lib/grid.wgsl" %}
const BLOCK_ELEMENTS: u32 = 256u;
const BLOCK_BYTES: u32 = 110u;
const HIGH: u32 = 4u;

// The first element of octet `octet` within its block.
fn octet_offset(octet: u32) -> u32 {
    return 8u * octet;
}

// Octet `octet` of the block at byte `at`.
fn dequantize(at: u32, octet: u32) -> Octet {
    let d = load_f16(at) * (1.0 + 2.0 * f32(load_nibble(at + 106u, octet / 4u)));
    let lower = load_u16(at + 2u + 2u * octet);
    let ninths = load_u8(at + 66u + octet / 4u) >> (2u * (octet % 4u));
    let signs = load_u8(at + 74u + octet);
    return Octet(
        d * with_signs(grid_values((lower & 0xffu) | ((ninths & 1u) << 8u)), signs, 0u),
        d * with_signs(grid_values((lower >> 8u) | ((ninths & 2u) << 7u)), signs, 4u),
    );
}
