// Q8_0: 34 bytes a block of 32 elements. f16 d; 32 signed bytes.
// Value d q.
{% set alignment = 2 %}
{% include "lib/blocks.wgsl" %}
const BLOCK_ELEMENTS: u32 = 32u;
const BLOCK_BYTES: u32 = 34u;
const HIGH: u32 = 4u;

// The first element of octet `octet` within its block.
fn octet_offset(octet: u32) -> u32 {
    return 8u * octet;
}

// Octet `octet` of the block at byte `at`.
fn dequantize(at: u32, octet: u32) -> Octet {
    let d = load_f16(at);
    let words = load_2_words(at + 2u + 8u * octet);
    return Octet(d * vec4<f32>(signed_bytes_of(words.x)), d * vec4<f32>(signed_bytes_of(words.y)));
}
