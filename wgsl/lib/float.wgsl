// Helpers of f32 arithmetic.

// From 1 to the next number.
const EPSILON: f32 = 0x1p-23;

// The power of two at or below |x|, kept within 2^-126 .. 2^126, so that it and its reciprocal are both normal numbers.
// Numbers of which x is the largest, times the reciprocal, lie below 4; their squares neither overflow nor all vanish.
fn power_of_two(x: f32) -> f32 {
    return bitcast<f32>(clamp((bitcast<u32>(x) >> 23u) & 0xffu, 1u, 253u) << 23u);
}

// 1 / power, exact, for a result of power_of_two.
fn reciprocal_power_of_two(power: f32) -> f32 {
    return bitcast<f32>((254u << 23u) - bitcast<u32>(power));
}
