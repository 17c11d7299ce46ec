// Q4_1: 20 bytes a block of 32 elements. f16 d, f16 m; 16 bytes of nibbles, element i low and i + 16 high.
// Value d q + m.
{% set alignment = 4 %}
{% include "lib/blocks.wgsl" %}
const BLOCK_ELEMENTS: u32 = 32u;
const BLOCK_BYTES: u32 = 20u;
const HIGH: u32 = 16u;

// The first element of octet `octet` within its block.
fn octet_offset(octet: u32) -> u32 {
    return 4u * octet;
}

// Octet `octet` of the block at byte `at`.
fn dequantize(at: u32, octet: u32) -> Octet {
    let scales = unpack2x16float(load_word(at / 4u));
    let word = load_word(at / 4u + 1u + octet);
    return Octet(
        scales.x * vec4<f32>(bytes_of(word & 0x0f0f0f0fu)) + scales.y,
        scales.x * vec4<f32>(bytes_of((word >> 4u) & 0x0f0f0f0fu)) + scales.y,
    );
}
