// The 6-bit scales and minima of groups 2 pair and 2 pair + 1 (of 8), times the block's d and dmin: (scale, minimum,
// scale, minimum). Three words from `word` on hold them: the scales of the first four groups, their minima, and the
// lower nibbles of both for the last four, whose upper bits lie in the spare bits of the first four.
fn group_scales(word: u32, pair: u32, d: vec2<f32>) -> vec4<f32> {
    let shift = 16u * (pair & 1u);
    let first = vec2<u32>(weights[word], weights[word + 1u]) >> vec2<u32>(shift);
    let nibbles = vec2<u32>(weights[word + 2u] >> shift) >> vec2<u32>(0u, 4u);
    let last = (nibbles & vec2<u32>(0x0f0fu)) | ((first >> vec2<u32>(2u)) & vec2<u32>(0x3030u));
    let scales = select(last, first & vec2<u32>(0x3f3fu), pair < 2u);
    return vec4<f32>(vec4<u32>(scales & vec2<u32>(0xffu), (scales >> vec2<u32>(8u)) & vec2<u32>(0xffu))) * d.xyxy;
}
