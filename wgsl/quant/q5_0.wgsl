// Q5_0: 22 bytes a block of 32 elements. f16 d; u32 of fifth bits; 16 bytes of nibbles as in Q4_0.
// Value d (q - 16).
{% set alignment = 2 %}
{% include "lib/blocks.wgsl" %}
const BLOCK_ELEMENTS: u32 = 32u;
const BLOCK_BYTES: u32 = 22u;
const HIGH: u32 = 16u;

// The first element of octet `octet` within its block.
fn octet_offset(octet: u32) -> u32 {
    return 4u * octet;
}

// Octet `octet` of the block at byte `at`.
fn dequantize(at: u32, octet: u32) -> Octet {
    let d = load_f16(at);
    let fifth = load_u32(at + 2u);
    let word = load_u32(at + 6u + 4u * octet);
    let low = bytes_of(word & 0x0f0f0f0fu) | (four_bits(fifth, 4u * octet) << vec4<u32>(4u));
    let high = bytes_of((word >> 4u) & 0x0f0f0f0fu) | (four_bits(fifth, 4u * octet + 16u) << vec4<u32>(4u));
    return Octet(d * (vec4<f32>(low) - 16.0), d * (vec4<f32>(high) - 16.0));
}
