// Q3_K: 110 bytes a block of 256 elements. 32 bytes of third bits, bit r of byte i for element i of run r of 32; 64
// bytes of bit pairs as in Q2_K; 12 bytes of 6-bit scales of 16 groups (lower nibbles of groups g and g + 8 in byte g,
// upper pairs of groups g, g + 4, g + 8, g + 12 in byte 8 + g); f16 d.
// Value d (scale - 32) (q - 4).
{% set span, summands, table, alignment, bytes = 4, true, false, 2, "unsigned" %}
{% include "lib/blocks.wgsl" %}
const BLOCK_ELEMENTS: u32 = 256u;
const BLOCK_BYTES: u32 = 110u;
const HIGH: u32 = 32u;

// The first element of octet `j` of span `span` within its block.
fn octet_offset(span: u32, j: u32) -> u32 {
    return 64u * (span / 2u) + 16u * (span % 2u) + 4u * j;
}

// The scales of span `span` of the block that begins at `byte`.
fn load_scales(byte: u32, span: u32) -> vec4<f32> {
    let pair = span / 2u; // of runs
    let lower = (load_u32(byte + 96u, pair % 2u) >> (4u * (pair / 2u))) & 0x0f0f0f0fu;
    let upper = (load_u32(byte + 104u, 0u) >> (2u * pair)) & 0x03030303u;
    // Of a pair's four groups, each run has two.
    let scales = bytes_of((lower | (upper << 4u)) >> (8u * (span % 2u))).xz;
    let factors = load_f16(byte + 108u) * (vec2<f32>(scales) - 32.0);
    return vec4<f32>(factors.x, -4.0 * factors.x, factors.y, -4.0 * factors.y);
}

// The bytes of octet `j` of that span, before its scales.
fn load_bytes(byte: u32, span: u32, j: u32) -> vec2<u32> {
    let thirds = load_u32(byte + 16u * (span % 2u), j) >> (span & 6u);
    let pairs = load_u32(byte + 32u + 32u * (span / 4u) + 16u * (span % 2u), j) >> (4u * ((span / 2u) % 2u));
    return vec2<u32>(
        (pairs & 0x03030303u) | ((thirds & 0x01010101u) << 2u),
        ((pairs >> 2u) & 0x03030303u) | (((thirds >> 1u) & 0x01010101u) << 2u),
    );
}
