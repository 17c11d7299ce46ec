// F32: 32 bytes a block of 8 elements. Plain numbers, read eight at a time.
{% set alignment = 4 %}
{% include "lib/blocks.wgsl" %}
const BLOCK_ELEMENTS: u32 = 8u;
const BLOCK_BYTES: u32 = 32u;
const HIGH: u32 = 4u;

// The first element of octet `octet` within its block.
fn octet_offset(octet: u32) -> u32 {
    return 8u * octet;
}

// Octet `octet` of the block at byte `at`.
fn dequantize(at: u32, octet: u32) -> Octet {
    let word = at / 4u + 8u * octet;
    return Octet(
        bitcast<vec4<f32>>(vec4<u32>(weights[word], weights[word + 1u], weights[word + 2u], weights[word + 3u])),
        bitcast<vec4<f32>>(vec4<u32>(weights[word + 4u], weights[word + 5u], weights[word + 6u], weights[word + 7u])),
    );
}
