// IQ4_XS: 136 bytes a block of 256 elements. f16 d; u16 of the scales' upper bit pairs; 4 bytes of their lower nibbles,
// one a group of 32; 128 bytes of nibbles, element i of a group low and i + 16 high.
// Value d (scale - 32) values[q], the values of IQ4_NL.
{% set alignment = 4 %}
{% include "lib/blocks.wgsl" %}
{% set values = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113] %}
{% include "lib/nibble_values.wgsl" %}
const BLOCK_ELEMENTS: u32 = 256u;
const BLOCK_BYTES: u32 = 136u;
const HIGH: u32 = 16u;

// The first element of octet `octet` within its block.
fn octet_offset(octet: u32) -> u32 {
    return 32u * (octet / 4u) + 4u * (octet % 4u);
}

// Octet `octet` of the block at byte `at`.
fn dequantize(at: u32, octet: u32) -> Octet {
    let word = at / 4u;
    let group = octet / 4u;
    let head = load_word(word);
    let lower = (load_word(word + 1u) >> (4u * group)) & 15u;
    let upper = (head >> (16u + 2u * group)) & 3u;
    let scale = unpack2x16float(head).x * (f32(lower | (upper << 4u)) - 32.0);
    let nibbles = load_word(word + 2u + octet);
    return Octet(scale * nibble_values(nibbles & 0x0f0f0f0fu), scale * nibble_values((nibbles >> 4u) & 0x0f0f0f0fu));
}
