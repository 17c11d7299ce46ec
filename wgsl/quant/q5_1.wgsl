// Q5_1: 24 bytes a block of 32 elements. f16 d, f16 m; u32 of fifth bits; 16 bytes of nibbles as in Q4_1.
// Value d q + m.
{% set alignment = 4 %}
{% include "lib/blocks.wgsl" %}
const BLOCK_ELEMENTS: u32 = 32u;
const BLOCK_BYTES: u32 = 24u;
const HIGH: u32 = 16u;

// The first element of octet `octet` within its block.
fn octet_offset(octet: u32) -> u32 {
    return 4u * octet;
}

// Octet `octet` of the block at byte `at`.
fn dequantize(at: u32, octet: u32) -> Octet {
    let scales = unpack2x16float(load_word(at / 4u));
    let fifth = load_word(at / 4u + 1u);
    let word = load_word(at / 4u + 2u + octet);
    let low = bytes_of(word & 0x0f0f0f0fu) | (four_bits(fifth, 4u * octet) << vec4<u32>(4u));
    let high = bytes_of((word >> 4u) & 0x0f0f0f0fu) | (four_bits(fifth, 4u * octet + 16u) << vec4<u32>(4u));
    return Octet(scales.x * vec4<f32>(low) + scales.y, scales.x * vec4<f32>(high) + scales.y);
}
