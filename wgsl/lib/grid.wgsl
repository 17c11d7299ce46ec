// A codebook of {{ grid_words }} words, whose runs of elements the blocks of a type name by number.
// Parameters: grid_binding, the number of the buffer's binding; grid_words; shared_tables.
@group(0) @binding({{ grid_binding }}) var<storage, read> grid: array<u32>;
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

// Four signed bytes of the codebook.
fn grid_values(word: u32) -> vec4<f32> {
    return signed_floats_of(grid_word(word));
}

// Eight nibbles of the codebook, the first four in the lower halves of the word's bytes.
fn grid_nibbles(word: u32) -> Octet {
    let nibbles = grid_word(word);
    return Octet(floats_of(nibbles & 0x0f0f0f0fu), floats_of((nibbles >> 4u) & 0x0f0f0f0fu));
}

// `values` with the signs of the lowest four bits of `signs`: 1 is minus.
fn with_signs(values: vec4<f32>, signs: u32) -> vec4<f32> {
    let minus = (vec4<u32>(signs) << vec4<u32>(31u, 30u, 29u, 28u)) & vec4<u32>(0x80000000u);
    return bitcast<vec4<f32>>(bitcast<vec4<u32>>(values) ^ minus);
}

// Eight sign bits of which seven are stored: the number of minus signs is even.
fn even_signs(seven: u32) -> u32 {
    return seven | ((countOneBits(seven) & 1u) << 7u);
}
