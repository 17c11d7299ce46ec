// F16: 16 bytes a block of 8 elements. Plain half-precision numbers, read eight at a time.
{% set aligned = true %}
{% include "lib/blocks.wgsl" %}
const BLOCK_ELEMENTS: u32 = 8u;
const BLOCK_BYTES: u32 = 16u;
const HIGH: u32 = 4u;

// The first element of octet `octet` within its block.
fn octet_offset(octet: u32) -> u32 {
    return 8u * octet;
}

// Octet `octet` of the block at byte `at`.
fn dequantize(at: u32, octet: u32) -> Octet {
    let word = at / 4u + 4u * octet;
    return Octet(
        vec4<f32>(unpack2x16float(weights[word]), unpack2x16float(weights[word + 1u])),
        vec4<f32>(unpack2x16float(weights[word + 2u]), unpack2x16float(weights[word + 3u])),
    );
}
