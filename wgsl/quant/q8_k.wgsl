// Q8_K: 292 bytes a block of 256 elements. f32 d; 256 signed bytes; 16 i16 sums of 16 elements each, not needed here.
// Value d q.
{% set alignment = 4 %}
{% include "lib/blocks.wgsl" %}
const BLOCK_ELEMENTS: u32 = 256u;
const BLOCK_BYTES: u32 = 292u;
const HIGH: u32 = 4u;

// The first element of octet `octet` within its block.
fn octet_offset(octet: u32) -> u32 {
    return 8u * octet;
}

// Octet `octet` of the block at byte `at`.
fn dequantize(at: u32, octet: u32) -> Octet {
    let d = bitcast<f32>(load_word(at / 4u));
    let first = at / 4u + 1u + 2u * octet;
    return Octet(
        d * vec4<f32>(signed_bytes_of(load_word(first))),
        d * vec4<f32>(signed_bytes_of(load_word(first + 1u))),
    );
}
