// Reads from `weights`, an array<u32> that holds the blocks of a GGUF tensor byte for byte.
// Parameter: alignment, what the byte at which a block starts is always a multiple of: 4, 2 or 1.

// Eight elements of a block: two runs of four, HIGH elements apart.
struct Octet {
    low: vec4<f32>,
    high: vec4<f32>,
}

// The four bytes at byte `at` (a multiple of {{ alignment }}), little-endian.
fn load_u32(at: u32) -> u32 {
    {% if alignment == 4 %}
    return weights[at / 4u];
    {% else %}
    // Without a branch: of an aligned word's successor all bits are shifted out.
    let shift = 8u * (at & 3u);
    return (weights[at / 4u] >> shift) | ((weights[at / 4u + 1u] << 1u) << (31u - shift));
    {% endif %}
}

// The two bytes at byte `at` (a multiple of 2), little-endian.
fn load_u16(at: u32) -> u32 {
    return (weights[at / 4u] >> (8u * (at & 2u))) & 0xffffu;
}

// The half-precision number at byte `at` (a multiple of 2).
fn load_f16(at: u32) -> f32 {
    return unpack2x16float(weights[at / 4u] >> (8u * (at & 2u))).x;
}

// The byte at `at`.
fn load_u8(at: u32) -> u32 {
    return (weights[at / 4u] >> (8u * (at & 3u))) & 0xffu;
}

// Nibble `index` from byte `at` on, the lower one of a byte first.
fn load_nibble(at: u32, index: u32) -> u32 {
    return (load_u8(at + index / 2u) >> (4u * (index & 1u))) & 15u;
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
