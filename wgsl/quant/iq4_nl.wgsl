// IQ4_NL: 18 bytes a block of 32 elements. f16 d; 16 bytes of nibbles, element i low and i + 16 high.
// Value d values[q].
{% set alignment = 2 %}
{% include "lib/blocks.wgsl" %}
{% set values = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113] %}
{% include "lib/nibble_values.wgsl" %}
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
    return Octet(d * nibble_values(word & 0x0f0f0f0fu), d * nibble_values((word >> 4u) & 0x0f0f0f0fu));
}
