// Cosine, sine and the angle of a direction, to about f32's precision. WGSL's own may be off by 2^-11 (cos, sin) and by
// 4096 units in the last place (atan2), and on some GPUs they are.

// Half pi in three parts; the first two have 11 bits, so that their products with whole numbers up to 2^13 are exact.
const HALF_PI_HIGH: f32 = 0x1.92p0;
const HALF_PI_MIDDLE: f32 = 0x1.fb4p-12;
const HALF_PI_LOW: f32 = 0x1.4442d2p-24;

// (cos, sin) of an angle in radians up to 10^4 in magnitude, with an error of about EPSILON; of larger ones the error
// grows with them. The angle less whole quarter turns (Cody and Waite, Software Manual for the Elementary Functions,
// 1980), then Taylor's series.
fn cos_sin(angle: f32) -> vec2<f32> {
    let quarters = round(angle / (HALF_PI_HIGH + HALF_PI_MIDDLE));
    let x = ((angle - quarters * HALF_PI_HIGH) - quarters * HALF_PI_MIDDLE) - quarters * HALF_PI_LOW;
    let z = x * x;
    let c = 1.0 + z * (-1.0 / 2.0 + z * (1.0 / 24.0 + z * (-1.0 / 720.0 + z * (1.0 / 40320.0 - z / 3628800.0))));
    let s = x + x * z * (-1.0 / 6.0 + z * (1.0 / 120.0 + z * (-1.0 / 5040.0 + z / 362880.0)));
    let quarter = u32(i32(quarters)) & 3u;
    let turned = select(vec2<f32>(c, s), vec2<f32>(-s, c), (quarter & 1u) == 1u);
    return select(turned, -turned, quarter >= 2u);
}

// The angle from the first axis to v, between -pi and pi; of the zero vector, 0. |v| between 1e-18 and 1e18, or 0.
// atan2 is right to 2^-9, so that what is missing is as good as its own sine.
fn angle_of(v: vec2<f32>) -> f32 {
    let size = length(v);
    if size == 0.0 {
        return 0.0;
    }
    let guess = atan2(v.y, v.x);
    let direction = cos_sin(guess);
    return guess + (v.y * direction.x - v.x * direction.y) / size;
}
