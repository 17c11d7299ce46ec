// Hyperbolic tangent to a few units in the last place, for any number. WGSL's own may be off by 1e-5, and on some GPUs
// it overflows to NaN for large ones.
const TANH_LIMIT: f32 = 10.0; // from here on it is 1 in f32

fn stable_tanh(x: f32) -> f32 {
    let magnitude = abs(x);
    if magnitude < 0.6 {
        // Where exp would lose digits: x / (1 + x^2 / (3 + x^2 / (5 + x^2 / (7 + x^2 / 9)))), from Lambert's fraction.
        let square = x * x;
        return x * (945.0 + square * (105.0 + square)) / (945.0 + square * (420.0 + square * 15.0));
    }
    let result = 1.0 - 2.0 / (exp(2.0 * min(magnitude, TANH_LIMIT)) + 1.0);
    return select(result, -result, x < 0.0);
}
