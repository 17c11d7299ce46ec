// The 6-bit scale and minimum of group `group` (of 8): 12 bytes at byte `at` hold them, the upper bits of the last four
// groups in the spare bits of the first four. Times the block's d and dmin.
fn group_scale(at: u32, group: u32, d: vec2<f32>) -> vec2<f32> {
    var packed: vec2<u32>;
    if group < 4u {
        packed = vec2<u32>(load_u8(at + group), load_u8(at + group + 4u)) & vec2<u32>(63u);
    } else {
        let lower = load_u8(at + group + 4u);
        let upper = vec2<u32>(load_u8(at + group - 4u), load_u8(at + group)) >> vec2<u32>(6u);
        packed = vec2<u32>(lower & 15u, lower >> 4u) | (upper << vec2<u32>(4u));
    }
    return d * vec2<f32>(packed);
}
