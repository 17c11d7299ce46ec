// A codebook of {{ grid_words }} words, whose runs of elements the blocks of a type name by number.
// Parameters: grid_words; shared_tables.
var<storage, read> grid: array<u32>;
{% if shared_tables %}

const GRID_WORDS: u32 = {{ grid_words }}u;
var<workgroup> grid_table: array<u32, GRID_WORDS>;

// To be called by all invocations of a workgroup before they read the weights.
fn prepare_table(index: u32) {
    for (var i = index; i < GRID_WORDS; i += {{ workgroup_size }}u) {
        grid_table[i] = grid[i];
    }
    workgroupBarrier();
}
{% endif %}

fn grid_word(word: u32) -> u32 {
    return {{ "grid_table" if shared_tables else "grid" }}[word];
}

// Eight nibbles of the codebook, a byte each, the first four in the lower halves of the word's bytes.
fn grid_nibbles(word: u32) -> vec2<u32> {
    let nibbles = grid_word(word);
    return vec2<u32>(nibbles, nibbles >> 4u) & vec2<u32>(0x0f0f0f0fu);
}

// Four bytes, none of them zero, with the signs of the lowest four bits of `signs`: 1 is minus.
fn with_signs(word: u32, signs: u32) -> u32 {
    let minus = spread_bits(signs);
    return (word ^ (minus * 0xffu)) + minus; // of one that is not zero, the complement is below 255
}

// Eight sign bits of which seven are stored: the number of minus signs is even.
fn even_signs(seven: u32) -> u32 {
    return seven | ((countOneBits(seven) & 1u) << 7u);
}
