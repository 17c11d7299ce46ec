// Softmax of scores that come one at a time or in parts: exp(score - highest) / total, from the highest score so far
// and the sum of exp(score - highest). No exponent is above 0, so nothing overflows. Online softmax: Milakov and
// Gimelshein, arXiv:1805.02867.
// A score of -infinity is masked: its weight is 0, and so are all weights where every score is.
// Parameters: workgroup (also makes workgroup_softmax; then include lib/reduce.wgsl with "sum" and "max" as well).
struct Softmax {
    highest: f32,
    total: f32,
}

// Of no score at all. (The lowest finite number: WGSL promises nothing for infinities.)
const SOFTMAX_EMPTY: Softmax = Softmax(-3.4028234e38, 0.0);

// exp(a - b) for a <= b. Below -128 it is 0 in f32.
fn softmax_ratio(a: f32, b: f32) -> f32 {
    return exp(max(a - b, -128.0));
}

// The state of the scores of a and of b together.
fn softmax_merge(a: Softmax, b: Softmax) -> Softmax {
    let highest = max(a.highest, b.highest);
    return Softmax(
        highest,
        a.total * softmax_ratio(a.highest, highest) + b.total * softmax_ratio(b.highest, highest),
    );
}

// The state with one more score.
fn softmax_add(state: Softmax, score: f32) -> Softmax {
    return softmax_merge(state, Softmax(score, 1.0));
}

// The weight of a score among those of `state`.
fn softmax_weight(state: Softmax, score: f32) -> f32 {
    return select(softmax_ratio(score, state.highest) / state.total, 0.0, state.total == 0.0);
}
{% if workgroup %}

// The state of the scores of all invocations of the workgroup, which all call and all get it.
fn workgroup_softmax(state: Softmax, lane: u32) -> Softmax {
    let highest = workgroup_max(state.highest, lane);
    return Softmax(highest, workgroup_sum(state.total * softmax_ratio(state.highest, highest), lane));
}
{% endif %}
