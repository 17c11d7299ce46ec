// TQ2_0: 66 bytes a block of 256 elements. 64 bytes of bit pairs as in Q2_K; f16 d.
// Value d (q - 1).
{% set alignment = 2 %}
{% include "lib/blocks.wgsl" %}
const BLOCK_ELEMENTS: u32 = 256u;
const BLOCK_BYTES: u32 = 66u;
const HIGH: u32 = 32u;

// The first element of octet `octet` within its block.
fn octet_offset(octet: u32) -> u32 {
    return 64u * (octet / 8u) + 4u * (octet % 8u);
}

// Octet `octet` of the block at byte `at`.
fn dequantize(at: u32, octet: u32) -> Octet {
    let d = load_f16(at + 64u);
    let pairs = load_u32(at + 32u * (octet / 16u) + 4u * (octet % 8u)) >> (4u * ((octet / 8u) % 2u));
    return Octet(
        d * (vec4<f32>(bytes_of(pairs & 0x03030303u)) - 1.0),
        d * (vec4<f32>(bytes_of((pairs >> 2u) & 0x03030303u)) - 1.0),
    );
}
