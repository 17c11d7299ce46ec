// BF16: 16 bytes a block of 8 elements. The upper halves of float32 numbers, read eight at a time.
// Parameter: tail, as in F16.
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
    let even = bitcast<vec4<f32>>(pairs << vec4<u32>(16u));
    let odd = bitcast<vec4<f32>>(pairs & vec4<u32>(0xffff0000u));
    return Octet(vec4<f32>(even.x, odd.x, even.y, odd.y), vec4<f32>(even.z, odd.z, even.w, odd.w));
}
