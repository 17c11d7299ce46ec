// log(1 + exp(x)) with all its digits, also where exp(x) is small: log has few near 1. With y = exp(-|x|) it is
// max(x, 0) + log(1 + y), and log(1 + y) = 2 (s + s^3 / 3 + s^5 / 5 + ..) with s = y / (2 + y), at most 1 / 3.
const SOFTPLUS_LIMIT: f32 = 87.0; // exp of its negative is a normal number of f32

fn softplus(x: f32) -> f32 {
    let y = exp(-min(abs(x), SOFTPLUS_LIMIT));
    let s = y / (2.0 + y);
    let square = s * s;
    var series = 1.0 / 15.0;
    {% for odd in range(13, 0, -2) %}
    series = series * square + 1.0 / {{ odd }}.0;
    {% endfor %}
    return max(x, 0.0) + 2.0 * s * series;
}
