// Q4_K: 144 bytes a block of 256 elements. f16 d, f16 dmin; 12 bytes of group scales and minima; 128 bytes of nibbles,
// element i of a run of 64 low and i + 32 high.
// Value d scale q - dmin minimum.
{% set alignment = 16 %}
{% include "lib/blocks.wgsl" %}
{% include "lib/k_scales.wgsl" %}
const BLOCK_ELEMENTS: u32 = 256u;
const BLOCK_BYTES: u32 = 144u;
const HIGH: u32 = 32u;

// The first element of octet `octet` within its block.
fn octet_offset(octet: u32) -> u32 {
    return 64u * (octet / 8u) + 4u * (octet % 8u);
}

// Octet `octet` of the block at byte `at`.
fn dequantize(at: u32, octet: u32) -> Octet {
    let scales = group_scales(load_4_words(at), octet / 8u);
    let word = load_word(at / 4u + 4u + octet);
    return Octet(
        scales.x * vec4<f32>(bytes_of(word & 0x0f0f0f0fu)) - scales.y,
        scales.z * vec4<f32>(bytes_of((word >> 4u) & 0x0f0f0f0fu)) - scales.w,
    );
}
