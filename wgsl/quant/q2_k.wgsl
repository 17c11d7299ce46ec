// Q2_K: 84 bytes a block of 256 elements. 16 bytes, a group of 16 elements each: scale low nibble, minimum high; 64
// bytes of bit pairs, pair s of 32 bytes for run s of a half's four runs of 32; f16 d, f16 dmin.
// Value d scale q - dmin minimum.
{% set alignment = 4 %}
{% include "lib/blocks.wgsl" %}
const BLOCK_ELEMENTS: u32 = 256u;
const BLOCK_BYTES: u32 = 84u;
const HIGH: u32 = 32u;

// The first element of octet `octet` within its block.
fn octet_offset(octet: u32) -> u32 {
    return 64u * (octet / 8u) + 4u * (octet % 8u);
}

// Octet `octet` of the block at byte `at`.
fn dequantize(at: u32, octet: u32) -> Octet {
    let word = at / 4u;
    let d = unpack2x16float(load_word(word + 20u));
    // A word of scales is two runs of 32: the octet's second run is two groups further.
    let scales = (load_word(word + octet / 8u) >> (8u * ((octet % 8u) / 4u))) & 0x00ff00ffu;
    let low = d * vec2<f32>(vec2<u32>(scales, scales >> 4u) & vec2<u32>(15u));
    let high = d * vec2<f32>(vec2<u32>(scales >> 16u, scales >> 20u) & vec2<u32>(15u));
    let pairs = load_word(word + 4u + 8u * (octet / 16u) + octet % 8u) >> (4u * ((octet / 8u) % 2u));
    return Octet(
        low.x * vec4<f32>(bytes_of(pairs & 0x03030303u)) - low.y,
        high.x * vec4<f32>(bytes_of((pairs >> 2u) & 0x03030303u)) - high.y,
    );
}
