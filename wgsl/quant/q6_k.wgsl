// Q6_K: 210 bytes a block of 256 elements. 128 bytes of low nibbles, 64 bytes of upper bit pairs, 16 signed bytes of
// group scales, f16 d.
// A half of 128 elements is four runs of 32: nibbles low, low, high, high of 64 bytes; bit pairs 0, 1, 2, 3 of 32
// bytes.
// Value d scale (q - 32).
{% set span, summands, table, alignment, bytes = 4, true, false, 2, "unsigned" %}
{% include "lib/blocks.wgsl" %}
const BLOCK_ELEMENTS: u32 = 256u;
const BLOCK_BYTES: u32 = 210u;
const HIGH: u32 = 64u;

// The first element of octet `j` of span `span` within its block.
fn octet_offset(span: u32, j: u32) -> u32 {
    return 128u * (span / 4u) + 16u * (span % 4u) + 4u * j;
}

// The scales of span `span` of the block that begins at `byte`.
fn load_scales(byte: u32, span: u32) -> vec4<f32> {
    let group = byte + 192u + 8u * (span / 4u) + span % 4u;
    let scales = signed_bytes_of(load_u8(group) | (load_u8(group + 4u) << 8u)).xy;
    let factors = load_f16(byte + 208u) * vec2<f32>(scales);
    return vec4<f32>(factors.x, -32.0 * factors.x, factors.y, -32.0 * factors.y);
}

// The bytes of octet `j` of that span, before its scales.
fn load_bytes(byte: u32, span: u32, j: u32) -> vec2<u32> {
    let word = load_u32(byte + 16u * span, j);
    let pairs = load_u32(byte + 128u + 32u * (span / 4u) + 16u * (span % 2u), j) >> (span & 2u);
    return vec2<u32>(
        (word & 0x0f0f0f0fu) | ((pairs & 0x03030303u) << 4u),
        ((word >> 4u) & 0x0f0f0f0fu) | (((pairs >> 4u) & 0x03030303u) << 4u),
    );
}
