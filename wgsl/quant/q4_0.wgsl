// Q4_0: 18 bytes a block of 32 elements. f16 d; 16 bytes of nibbles, element i low and i + 16 high.
// Value d (q - 8).
{% set alignment = 2 %}
{% include "lib/blocks.wgsl" %}
const BLOCK_ELEMENTS: u32 = 32u;
const BLOCK_BYTES: u32 = 18u;
const HIGH: u32 = 16u;

// The first element of octet `octet` within its block.
fn octet_offset(octet: u32) -> u32 {
    return 4u * octet;
}

// Octet `octet` of the block at byte `at`.
fn dequantize(at: u32, octet: u32) -> Octet {
    let d = load_f16(at);
    let word = load_u32(at + 2u + 4u * octet);
    return Octet(
        d * (vec4<f32>(bytes_of(word & 0x0f0f0f0fu)) - 8.0),
        d * (vec4<f32>(bytes_of((word >> 4u) & 0x0f0f0f0fu)) - 8.0),
    );
}
