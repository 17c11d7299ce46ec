// What the kernels of linear attention have in common: of a head the matrix M [KEYS, values], and for each token
//   M <- w M;  u = beta (v - M^T k) with the delta rule, else g v;  M <- M + k u^T;  o = M^T q (+ D v)
//   w = exp(A softplus(a + shift)): one a head, or one for each of its keys    beta = sigmoid(b)    g = softplus(a + shift)
//   rates f32: A [heads], shift [heads] (or [heads, KEYS]) and D [heads] if there are any, side by side
//   state f32 [heads, KEYS, values]: M before the step; replaced by that at its end
// Before position 0 M is 0. Parameters: keys, delta, channels (a decay for each key), shifted (there is a shift), skip
// (there is a D), normalise, interleaved (head h has the keys of head h % key_heads, else of h / (heads / key_heads)).
var<storage, read> rates: array<f32>;

const KEYS: u32 = {{ keys }}u;

{% include "lib/softplus.wgsl" %}

// What is added to the a of a head, or of a head and key.
fn shift_of(index: u32, heads: u32) -> f32 {
    return {{ "rates[heads + index]" if shifted else "0.0" }};
}

fn skip_of(head: u32, heads: u32) -> f32 {
    return rates[{{ "2u * " if shifted }}heads + head];
}

fn keys_of(head: u32, heads: u32, key_heads: u32) -> u32 {
    return {{ "head % key_heads" if interleaved else "head / (heads / key_heads)" }};
}
