// Which tokens may be drawn: those whose logits lie between two bounds, which each sampler narrows. The bounds are keys,
// which have the order of the logits; where one is sought, it is by bisection over the bits.
// for_each_logit, `logits`, `row`, `params`, `sampling`, LOWEST and workgroup_sum are the kernel's.

struct Kept {
    low: u32,
    high: u32,
}

var<private> highest: f32; // of all logits
var<private> sharpness: f32 = 1.0; // by which logits are multiplied before they are probabilities

// Order-preserving map of f32 to u32.
fn key_of(value: f32) -> u32 {
    let bits = bitcast<u32>(value);
    return select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u);
}

fn is_kept(logit: f32, kept: Kept) -> bool {
    let key = key_of(logit);
    return key >= kept.low && key <= kept.high;
}

// How many logits are kept (x), and their probability relative to the highest (y).
fn measure(kept: Kept, lane: u32) -> vec2<f32> {
    var count = 0.0;
    var mass = 0.0;
    {% call(id, logit) for_each_logit() %}
            if is_kept({{ logit }}, kept) {
                count += 1.0;
                mass += exp(({{ logit }} - highest) * sharpness);
            }
    {%- endcall %}
    return vec2<f32>(workgroup_sum(count, lane), workgroup_sum(mass, lane));
}

// What is summed up over the logits that are kept:
const WEIGHTED: u32 = 0u; // how far they lie from `centre`, by their probability relative to the highest
const DISTANCE: u32 = 1u; // how far they lie from `centre`
const SQUARE: u32 = 2u; // the square of that

fn total(what: u32, centre: f32, kept: Kept, lane: u32) -> f32 {
    var sum = 0.0;
    {% call(id, logit) for_each_logit() %}
            if is_kept({{ logit }}, kept) {
                let distance = {{ logit }} - centre;
                let weight = select(distance, exp({{ logit }} - highest), what == WEIGHTED);
                sum += select(distance * weight, distance, what == DISTANCE);
            }
    {%- endcall %}
    return workgroup_sum(sum, lane);
}

// The highest lower bound that still leaves `goal` tokens, or (by_mass) a probability of `goal`.
fn threshold(kept: Kept, goal: f32, by_mass: bool, lane: u32) -> Kept {
    var low = kept.low;
    var high = key_of(highest) + 1u;
    var low_count = f32(params.vocabulary);
    var high_count = 0.0;
    // One token between the bounds, or exactly as many as wanted: no finer key changes what is left.
    while high - low > 1u && low_count - high_count > 1.0 && (by_mass || low_count != goal) {
        let middle = low + (high - low) / 2u;
        let measured = measure(Kept(middle, kept.high), lane);
        if select(measured.x, measured.y, by_mass) >= goal {
            low = middle;
            low_count = measured.x;
        } else {
            high = middle;
            high_count = measured.x;
        }
    }
    return Kept(low, kept.high);
}

// Top-n-sigma (arXiv:2411.07641): those at most so many standard deviations below the highest.
fn keep_within_sigma(kept: Kept, lane: u32) -> Kept {
    let count = measure(kept, lane).x;
    let mean = highest + total(DISTANCE, highest, kept, lane) / count;
    let deviation = sqrt(total(SQUARE, mean, kept, lane) / count);
    return Kept(max(kept.low, key_of(highest - sampling.top_n_sigma * deviation)), kept.high);
}

// Locally typical sampling (arXiv:2202.00666): those whose surprise is nearest to the expected one, as many as are more
// likely together than typical_p. A surprise is a constant less a logit, so they are those nearest to the mean logit.
fn keep_typical(kept: Kept, lane: u32) -> Kept {
    let mass = measure(kept, lane).y;
    let mean = highest + total(WEIGHTED, highest, kept, lane) / mass;
    // The bits of positive numbers have their order.
    var low = 0u;
    var high = 0x7f7fffffu;
    var low_count = 0.0;
    var around = kept;
    var around_count = f32(params.vocabulary);
    while high - low > 1u && around_count - low_count > 1.0 {
        let middle = low + (high - low) / 2u;
        let distance = bitcast<f32>(middle);
        let tried = Kept(max(kept.low, key_of(mean - distance)), min(kept.high, key_of(mean + distance)));
        let measured = measure(tried, lane);
        if measured.y > sampling.typical_p * mass {
            high = middle;
            around = tried;
            around_count = measured.x;
        } else {
            low = middle;
            low_count = measured.x;
        }
    }
    return around;
}

fn highest_of(kept: Kept, lane: u32) -> f32 {
    var found = LOWEST;
    for (var id = lane; id < params.vocabulary; id += THREADS) {
        let logit = logits[row + id];
        found = select(found, max(found, logit), is_kept(logit, kept));
    }
    return workgroup_max(found, lane);
}

// XTC ("exclude top choices", p-e-w, text-generation-webui #6335): of those that are likely enough, the least likely
// one, and what is less likely yet.
fn exclude_top_choices(kept: Kept, lane: u32) -> Kept {
    let least = highest + log(sampling.xtc_threshold * measure(kept, lane).y);
    var nearest = -LOWEST;
    for (var id = lane; id < params.vocabulary; id += THREADS) {
        let logit = logits[row + id];
        if is_kept(logit, kept) && logit >= least {
            nearest = min(nearest, logit);
        }
    }
    return Kept(kept.low, min(kept.high, key_of(-workgroup_max(-nearest, lane))));
}

// Dynamic temperature: from temperature - range to temperature + range, by how uncertain the model is: the entropy of
// what is kept, as a share of the most that it could be.
fn dynamic_temperature(kept: Kept, lane: u32) -> f32 {
    let measured = measure(kept, lane);
    if measured.x <= 1.0 {
        return sampling.temperature;
    }
    let entropy = log(measured.y) - total(WEIGHTED, highest, kept, lane) / measured.y;
    let share = pow(max(entropy, 0.0) / log(measured.x), sampling.dynatemp_exponent);
    let coldest = max(0.0, sampling.temperature - sampling.dynatemp_range);
    return max(COLDEST, mix(coldest, sampling.temperature + sampling.dynatemp_range, share));
}
