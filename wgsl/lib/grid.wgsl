// A codebook of runs of four or eight signed bytes, four to a word, which the blocks of a type name by number.
// Parameter: grid_binding, the number of the buffer's binding.
@group(0) @binding({{ grid_binding }}) var<storage, read> grid: array<u32>;

// The elements in word `word` of the codebook.
fn grid_values(word: u32) -> vec4<f32> {
    return vec4<f32>(signed_bytes_of(grid[word]));
}

// `values` with the signs of bits `first` .. `first + 3` of `signs`: 1 is minus.
fn with_signs(values: vec4<f32>, signs: u32, first: u32) -> vec4<f32> {
    return select(values, -values, four_bits(signs, first) != vec4<u32>(0u));
}

// Eight sign bits of which seven are stored: the number of minus signs is even.
fn even_signs(seven: u32) -> u32 {
    return seven | ((countOneBits(seven) & 1u) << 7u);
}
