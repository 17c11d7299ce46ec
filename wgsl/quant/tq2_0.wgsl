// TQ2_0: 66 bytes a block of 256 elements. 64 bytes of bit pairs as in Q2_K; f16 d.
// Value d (q - 1).
{% set span, summands, table, alignment, bytes = 4, true, false, 2, "unsigned" %}
{% include "lib/blocks.wgsl" %}
const BLOCK_ELEMENTS: u32 = 256u;
const BLOCK_BYTES: u32 = 66u;
const HIGH: u32 = 32u;

// The first element of octet `j` of span `span` within its block.
fn octet_offset(span: u32, j: u32) -> u32 {
    return 64u * (span / 2u) + 16u * (span % 2u) + 4u * j;
}

// The scales of span `span` of the block that begins at `byte`.
fn load_scales(byte: u32, span: u32) -> vec4<f32> {
    let d = load_f16(byte + 64u);
    return vec2<f32>(d, -d).xyxy;
}

// The bytes of octet `j` of that span, before its scales.
fn load_bytes(byte: u32, span: u32, j: u32) -> vec2<u32> {
    let pairs = load_u32(byte + 32u * (span / 4u) + 16u * (span % 2u), j) >> (4u * ((span / 2u) % 2u));
    return vec2<u32>(pairs & 0x03030303u, (pairs >> 2u) & 0x03030303u);
}
