// Q3_K: 110 bytes a block of 256 elements. 32 bytes of third bits, bit r of byte i for element i of run r of 32; 64
// bytes of bit pairs as in Q2_K; 12 bytes of 6-bit scales of 16 groups (lower nibbles of groups g and g + 8 in byte g,
// upper pairs of groups g, g + 4, g + 8, g + 12 in byte 8 + g); f16 d.
// Value d (scale - 32) (q - 4).
{% set alignment = 2 %}
{% include "lib/blocks.wgsl" %}
const BLOCK_ELEMENTS: u32 = 256u;
const BLOCK_BYTES: u32 = 110u;
const HIGH: u32 = 32u;

// The first element of octet `octet` within its block.
fn octet_offset(octet: u32) -> u32 {
    return 64u * (octet / 8u) + 4u * (octet % 8u);
}

// Octet `octet` of the block at byte `at`.
fn dequantize(at: u32, octet: u32) -> Octet {
    let pair = octet / 8u; // of runs
    let lower = (load_u32(at + 96u + 4u * (pair % 2u)) >> (4u * (pair / 2u))) & 0x0f0f0f0fu;
    let upper = (load_u32(at + 104u) >> (2u * pair)) & 0x03030303u;
    // Of a pair's four groups, each run has two.
    let scales = bytes_of((lower | (upper << 4u)) >> (8u * ((octet % 8u) / 4u))).xz;
    let factors = load_f16(at + 108u) * (vec2<f32>(scales) - 32.0);
    let thirds = load_u32(at + 4u * (octet % 8u)) >> (2u * pair);
    let pairs = load_u32(at + 32u + 32u * (octet / 16u) + 4u * (octet % 8u)) >> (4u * (pair % 2u));
    let low = bytes_of((pairs & 0x03030303u) | ((thirds & 0x01010101u) << 2u));
    let high = bytes_of(((pairs >> 2u) & 0x03030303u) | (((thirds >> 1u) & 0x01010101u) << 2u));
    return Octet(factors.x * (vec4<f32>(low) - 4.0), factors.y * (vec4<f32>(high) - 4.0));
}
