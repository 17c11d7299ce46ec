// TQ1_0: 54 bytes a block of 256 elements. 32 + 16 bytes of five ternary digits each and 4 bytes of four: digit n of
// the three parts' byte i is element 32 n + i, 160 + 16 n + i and 240 + 4 n + i; f16 d.
// Value d (digit - 1).
// A byte is a fraction of 256 in base 3: times 3^n, modulo 256, its next digit is the whole part of three times it.
{% set span, summands, table, alignment, bytes = 4, true, false, 2, "unsigned" %}
{% include "lib/blocks.wgsl" %}
const BLOCK_ELEMENTS: u32 = 256u;
const BLOCK_BYTES: u32 = 54u;
const HIGH: u32 = 4u;

// The first element of octet `j` of span `span` within its block.
fn octet_offset(span: u32, j: u32) -> u32 {
    return 32u * span + 8u * j;
}

// Digit `n` of each of four bytes.
fn digits(word: u32, n: u32) -> u32 {
    // 3^n; the first four lie in the bytes of a word.
    let power = select((0x1b090301u >> (8u * n)) & 0xffu, 81u, n == 4u);
    // Two bytes at a time: products take sixteen bits.
    let fractions = ((vec2<u32>(word, word >> 8u) & vec2<u32>(0x00ff00ffu)) * power) & vec2<u32>(0x00ff00ffu);
    let pairs = ((3u * fractions) >> vec2<u32>(8u)) & vec2<u32>(0x00ff00ffu);
    return pairs.x | (pairs.y << 8u);
}

// The scales of span `span` of the block that begins at `byte`.
fn load_scales(byte: u32, span: u32) -> vec4<f32> {
    let d = load_f16(byte + 52u);
    return vec2<f32>(d, -d).xyxy;
}

// The bytes of octet `j` of that span, before its scales.
fn load_bytes(byte: u32, span: u32, j: u32) -> vec2<u32> {
    let octet = 4u * span + j;
    if octet >= 30u {
        let word = load_u32(byte + 48u, 0u);
        let n = 2u * (octet - 30u);
        return vec2<u32>(digits(word, n), digits(word, n + 1u));
    }
    var first = 2u * (octet % 4u);
    var n = octet / 4u;
    if octet >= 20u {
        first = 8u + 2u * (octet % 2u);
        n = (octet - 20u) / 2u;
    }
    return vec2<u32>(digits(load_u32(byte, first), n), digits(load_u32(byte, first + 1u), n));
}
