// Q2_K: 84 bytes a block of 256 elements. 16 bytes, a group of 16 elements each: scale low nibble, minimum high; 64
// bytes of bit pairs, pair s of 32 bytes for run s of a half's four runs of 32; f16 d, f16 dmin.
// Value d scale q - dmin minimum.
{% set span, summands, table, alignment, bytes = 4, true, false, 4, "unsigned" %}
{% include "lib/blocks.wgsl" %}
const BLOCK_ELEMENTS: u32 = 256u;
const BLOCK_BYTES: u32 = 84u;
const HIGH: u32 = 32u;

// The first element of octet `j` of span `span` within its block.
fn octet_offset(span: u32, j: u32) -> u32 {
    return 64u * (span / 2u) + 16u * (span % 2u) + 4u * j;
}

// The scales of span `span` of the block that begins at `byte`.
fn load_scales(byte: u32, span: u32) -> vec4<f32> {
    let d = unpack2x16float(load_word(byte / 4u + 20u));
    // A word of scales is two runs of 32: the second run of an octet is two groups further.
    let scales = load_word(byte / 4u + span / 2u) >> (8u * (span % 2u));
    let nibbles = vec4<u32>(scales, scales >> 4u, scales >> 16u, scales >> 20u) & vec4<u32>(15u);
    return vec2<f32>(d.x, -d.y).xyxy * vec4<f32>(nibbles);
}

// The bytes of octet `j` of that span, before its scales.
fn load_bytes(byte: u32, span: u32, j: u32) -> vec2<u32> {
    let pairs = load_word(byte / 4u + 4u + 8u * (span / 4u) + 4u * (span % 2u) + j) >> (4u * ((span / 2u) % 2u));
    return vec2<u32>(pairs & 0x03030303u, (pairs >> 2u) & 0x03030303u);
}
