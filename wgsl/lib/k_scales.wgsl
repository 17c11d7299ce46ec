// The scales and minima of groups 2 pair and 2 pair + 1 (of 8), as (scale, minimum, scale, minimum).
// head: the block's first 16 bytes: f16 d and dmin, by which they are multiplied; then 6 bits each, in three words: the
// scales of the first four groups, their minima, and the lower nibbles of both for the last four, whose upper bits lie
// in the spare bits of the first four.
fn group_scales(head: vec4<u32>, pair: u32) -> vec4<f32> {
    let shift = vec2<u32>(16u * (pair & 1u));
    let first = head.yz >> shift;
    let nibbles = (head.ww >> shift) >> vec2<u32>(0u, 4u);
    let last = (nibbles & vec2<u32>(0x0f0fu)) | ((first >> vec2<u32>(2u)) & vec2<u32>(0x3030u));
    let scales = select(last, first & vec2<u32>(0x3f3fu), pair < 2u);
    let bytes = vec4<u32>(scales, scales >> vec2<u32>(8u)) & vec4<u32>(0xffu);
    return unpack2x16float(head.x).xyxy * vec4<f32>(bytes);
}
