// What is taken from logits before the next token is drawn: penalties on what came lately and, if `tuned`, biases and
// DRY. Each changes `logits[row + id]`; a storageBarrier() belongs between two of them. `end`: how many tokens there are.

// Of each of the last tokens: its logit divided by the repetition penalty (multiplied where it is negative,
// arXiv:1909.05858), less the presence penalty, less the frequency penalty for each time it came.
fn penalize(end: u32, lane: u32) {
    let window = min(sampling.penalty_window, end);
    for (var i = lane; i < window; i += THREADS) {
        let id = tokens[end - 1u - i];
        var later = 0u;
        while later < i && tokens[end - 1u - later] != id {
            later++;
        }
        if later < i || logits[row + id] == LOWEST {
            continue; // its latest place does it; or it was excluded beforehand
        }
        var count = 1.0;
        if sampling.frequency_penalty != 0.0 {
            for (var j = i + 1u; j < window; j++) {
                count += f32(tokens[end - 1u - j] == id);
            }
        }
        let logit = logits[row + id];
        let scaled = logit * select(sampling.repetition_penalty, 1.0 / sampling.repetition_penalty, logit > 0.0);
        logits[row + id] = scaled - sampling.presence_penalty - count * sampling.frequency_penalty;
    }
}
{% if tuned %}

const HIGHEST_PENALTY: f32 = 1e6; // of DRY: far beyond every logit, and no infinity

// What the caller wants of one token or the other: pairs of an id and a number.
fn add_biases(lane: u32) {
    let first = 1u + (params.vocabulary + 31u) / 32u;
    for (var i = lane; i < sampling.biases; i += THREADS) {
        logits[row + tuning[first + 2u * i]] += bitcast<f32>(tuning[first + 2u * i + 1u]);
    }
}

fn is_breaker(id: u32) -> bool {
    return ((tuning[1u + id / 32u] >> (id % 32u)) & 1u) == 1u;
}

// How many of the last tokens, up to `most`, also stand before the place `back` tokens from the end.
fn repeated(end: u32, back: u32, most: u32) -> u32 {
    var length = 0u;
    while length < most && tokens[end - 1u - length] == tokens[end - 1u - back - length] {
        length++;
    }
    return length;
}

// DRY ("don't repeat yourself", p-e-w, text-generation-webui #5677): a token that would go on with a repetition of at
// least the allowed length loses multiplier * base^(length - allowed length), by the longest that it would go on with.
fn penalize_repetition(end: u32, lane: u32) {
    let window = min(sampling.dry_penalty_last_n, end);
    let allowed = sampling.dry_allowed_length;
    // A repetition does not reach beyond the last breaker.
    var since = f32(window);
    for (var i = lane; i < window; i += THREADS) {
        if is_breaker(tokens[end - 1u - i]) {
            since = min(since, f32(i));
        }
    }
    let reach = u32(-workgroup_max(-since, lane));
    if window <= allowed || reach < allowed {
        return;
    }
    let most = min(reach, sampling.dry_longest);
    for (var back = 1u + lane; back < window; back += THREADS) {
        let length = repeated(end, back, min(most, window - back));
        let next = tokens[end - back];
        if length < allowed || is_breaker(next) {
            continue;
        }
        // Of the places that the same token follows, the one with the longest repetition does it, the latest of equals.
        var is_longest = true;
        for (var other = 1u; other < window && is_longest; other++) {
            if other != back && tokens[end - other] == next {
                let others = repeated(end, other, min(most, window - other));
                is_longest = others < length || (others == length && other > back);
            }
        }
        if is_longest {
            let penalty = sampling.dry_multiplier * pow(sampling.dry_base, f32(length - allowed));
            logits[row + next] -= min(penalty, HIGHEST_PENALTY);
        }
    }
}
{% endif %}
