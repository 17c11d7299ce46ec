// Reads from `weights`, an array<u32> that holds the blocks of a GGUF tensor byte for byte.
// Parameter: aligned, whether every block starts at a multiple of 4 bytes (else of 2).

// Eight elements of a block: two runs of four, HIGH elements apart.
struct Octet {
    low: vec4<f32>,
    high: vec4<f32>,
}

// The four bytes at byte `at`, little-endian.
fn load_u32(at: u32) -> u32 {
    let word = weights[at / 4u];
    {% if not aligned %}
    if (at & 2u) != 0u {
        return (word >> 16u) | (weights[at / 4u + 1u] << 16u);
    }
    {% endif %}
    return word;
}

// The half-precision number at byte `at` (a multiple of 2).
fn load_f16(at: u32) -> f32 {
    return unpack2x16float(weights[at / 4u] >> (8u * (at & 2u))).x;
}

// The byte at `at`.
fn load_u8(at: u32) -> u32 {
    return (weights[at / 4u] >> (8u * (at & 3u))) & 0xffu;
}

// The four bytes of a word, lowest first.
fn bytes_of(word: u32) -> vec4<u32> {
    return (vec4<u32>(word) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(0xffu);
}

// The four bytes of a word as signed numbers, lowest first.
fn signed_bytes_of(word: u32) -> vec4<i32> {
    return bitcast<vec4<i32>>(vec4<u32>(word) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u);
}

// Four consecutive bits of `bits` from bit `first` on, one a component.
fn four_bits(bits: u32, first: u32) -> vec4<u32> {
    return (vec4<u32>(bits) >> (vec4<u32>(first) + vec4<u32>(0u, 1u, 2u, 3u))) & vec4<u32>(1u);
}
