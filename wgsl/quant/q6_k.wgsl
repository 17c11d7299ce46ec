// Q6_K: 210 bytes a block of 256 elements. 128 bytes of low nibbles, 64 bytes of upper bit pairs, 16 signed bytes of
// group scales, f16 d.
// A half of 128 elements is four runs of 32: nibbles low, low, high, high of 64 bytes; bit pairs 0, 1, 2, 3 of 32
// bytes.
// Value d scale (q - 32).
{% set alignment = 2 %}
{% include "lib/blocks.wgsl" %}
const BLOCK_ELEMENTS: u32 = 256u;
const BLOCK_BYTES: u32 = 210u;
const HIGH: u32 = 64u;

// The first element of octet `octet` within its block.
fn octet_offset(octet: u32) -> u32 {
    return 128u * (octet / 16u) + 4u * (octet % 16u);
}

// Octet `octet` of the block at byte `at`.
fn dequantize(at: u32, octet: u32) -> Octet {
    let d = load_f16(at + 208u);
    let half = octet / 16u;
    let run = (octet / 8u) % 2u;
    let group = at + 192u + 8u * half + (octet % 16u) / 4u;
    let word = load_u32(at + 4u * octet);
    let pairs = load_u32(at + 128u + 32u * half + 4u * (octet % 8u)) >> (2u * run);
    let low = bytes_of((word & 0x0f0f0f0fu) | ((pairs & 0x03030303u) << 4u));
    let high = bytes_of(((word >> 4u) & 0x0f0f0f0fu) | (((pairs >> 4u) & 0x03030303u) << 4u));
    let scales = signed_bytes_of(load_u8(group) | (load_u8(group + 4u) << 8u)).xy;
    return Octet(d * f32(scales.x) * (vec4<f32>(low) - 32.0), d * f32(scales.y) * (vec4<f32>(high) - 32.0));
}
