// F16: 16 bytes a block of 8 elements. Plain half-precision numbers, read eight at a time.
// Parameter: tail (rows need not be a multiple of 8 long, so they may start in the middle of a word).
{% set alignment = 2 if tail else 16 %}
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
    let pairs = load_4_words(at + 16u * octet);
    return Octet(
        vec4<f32>(unpack2x16float(pairs.x), unpack2x16float(pairs.y)),
        vec4<f32>(unpack2x16float(pairs.z), unpack2x16float(pairs.w)),
    );
}
