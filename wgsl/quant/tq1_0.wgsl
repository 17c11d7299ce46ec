// TQ1_0: 54 bytes a block of 256 elements. 32 + 16 bytes of five ternary digits each and 4 bytes of four: digit n of
// the three parts' byte i is element 32 n + i, 160 + 16 n + i and 240 + 4 n + i; f16 d.
// Value d (digit - 1).
// A byte is a fraction of 256 in base 3: times 3^n, modulo 256, its next digit is the whole part of three times it.
{% set alignment = 2 %}
{% include "lib/blocks.wgsl" %}
const BLOCK_ELEMENTS: u32 = 256u;
const BLOCK_BYTES: u32 = 54u;
const HIGH: u32 = 4u;

// The first element of octet `octet` within its block.
fn octet_offset(octet: u32) -> u32 {
    return 8u * octet;
}

// Digit `n` of four bytes, less 1.
fn digits(word: u32, n: u32) -> vec4<f32> {
    // 3^n; the first four lie in the bytes of a word.
    let power = select((0x1b090301u >> (8u * n)) & 0xffu, 81u, n == 4u);
    let fraction = (bytes_of(word) * power) & vec4<u32>(0xffu);
    return vec4<f32>((3u * fraction) >> vec4<u32>(8u)) - 1.0;
}

// Octet `octet` of the block at byte `at`.
fn dequantize(at: u32, octet: u32) -> Octet {
    let d = load_f16(at + 52u);
    if octet >= 30u {
        let word = load_u32(at + 48u);
        let n = 2u * (octet - 30u);
        return Octet(d * digits(word, n), d * digits(word, n + 1u));
    }
    var first = at + 8u * (octet % 4u);
    var n = octet / 4u;
    if octet >= 20u {
        first = at + 32u + 8u * (octet % 2u);
        n = (octet - 20u) / 2u;
    }
    let words = load_2_words(first);
    return Octet(d * digits(words.x, n), d * digits(words.y, n));
}
