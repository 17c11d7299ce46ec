// Rotary position embedding. A kernel that includes this has `rotations`, vec2<f32> [positions, ROTARY_PAIRS]: cosine
// and sine of each pair's angle at each position. Parameters: rotary_dim (elements rotated, from the first on), pairing
// ("norm": element 2i with 2i + 1, "neox": element i with i + rotary_dim / 2).
const ROTARY_PAIRS: u32 = {{ rotary_dim // 2 }}u;

// A pair of elements turned by an angle, whose cosine and sine `r` has.
fn rotate(pair: vec2<f32>, r: vec2<f32>) -> vec2<f32> {
    return vec2<f32>(pair.x * r.x - pair.y * r.y, pair.x * r.y + pair.y * r.x);
}
