// Reads of a GGUF tensor, bound byte for byte as it is in the file.
// Parameter: alignment, what the byte at which a block starts is always a multiple of: 16 (the words are then bound
// four by four), 4, 2 or 1.
{% set words = "vec4<u32>" if alignment == 16 else "u32" %}
var<storage, read> weights: array<{{ words }}>;

// Eight elements of a block: two runs of four, HIGH elements apart.
struct Octet {
    low: vec4<f32>,
    high: vec4<f32>,
}

// Word `i` of the tensor.
fn load_word(i: u32) -> u32 {
    return weights[{{ "i / 4u][i % 4u" if alignment == 16 else "i" }}];
}

// Word `word` of those that start at `byte` (a multiple of {{ [alignment, 4] | min }}), little-endian.
fn load_u32(byte: u32, word: u32) -> u32 {
    let i = byte / 4u + word;
    {% if alignment >= 4 %}
    return load_word(i);
    {% else %}
    // Without a branch: of an aligned word's successor all bits are shifted out.
    let shift = 8u * (byte & 3u);
    return (load_word(i) >> shift) | ((load_word(i + 1u) << 1u) << (31u - shift));
    {% endif %}
}

// The sixteen bytes at `byte` (a multiple of {{ alignment }}) as words.
fn load_4_words(byte: u32) -> vec4<u32> {
    {% if alignment == 16 %}
    return weights[byte / 16u];
    {% else %}
    return vec4<u32>(load_u32(byte, 0u), load_u32(byte, 1u), load_u32(byte, 2u), load_u32(byte, 3u));
    {% endif %}
}

// The two bytes at `byte` (a multiple of 2), little-endian.
fn load_u16(byte: u32) -> u32 {
    return (load_word(byte / 4u) >> (8u * (byte & 2u))) & 0xffffu;
}

// The half-precision number at `byte` (a multiple of 2).
fn load_f16(byte: u32) -> f32 {
    return unpack2x16float(load_word(byte / 4u) >> (8u * (byte & 2u))).x;
}

// The byte at `byte`.
fn load_u8(byte: u32) -> u32 {
    return (load_word(byte / 4u) >> (8u * (byte & 3u))) & 0xffu;
}

// Nibble `index` from `byte` on, the lower one of a byte first.
fn load_nibble(byte: u32, index: u32) -> u32 {
    return (load_u8(byte + index / 2u) >> (4u * (index & 1u))) & 15u;
}

// The four bytes of a word, lowest first.
fn bytes_of(word: u32) -> vec4<u32> {
    return (vec4<u32>(word) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(0xffu);
}

// The four bytes of a word as signed numbers, lowest first.
fn signed_bytes_of(word: u32) -> vec4<i32> {
    return bitcast<vec4<i32>>(vec4<u32>(word) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u);
}

fn floats_of(word: u32) -> vec4<f32> {
    return vec4<f32>(bytes_of(word));
}

fn signed_floats_of(word: u32) -> vec4<f32> {
    return vec4<f32>(signed_bytes_of(word));
}

// The lowest four bits of `bits`, one a byte.
fn spread_bits(bits: u32) -> u32 {
    // Four copies, each seven bits further than the last, bring bit i to bit 8 i.
    return ((bits & 15u) * 0x00204081u) & 0x01010101u;
}
