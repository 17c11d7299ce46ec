// Samplers that are seldom asked for: each takes what is kept so far, and leaves less of it. See lib/kept.wgsl.

const COLDEST: f32 = 1e-6; // of temperatures that are worked out
const CHANCE: u32 = 0xffffffffu; // no token's id: the counter of XTC's random number
const BITS: f32 = 1.4426950408889634; // in a nat

var<workgroup> surprise: f32; // what mirostat allows at most, in bits

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

// Mirostat 2 (arXiv:2007.14966): those that surprise by at most mu bits, and the likeliest in any case.
fn keep_within_surprise(kept: Kept, lane: u32) -> Kept {
    if lane == 0u {
        surprise = bitcast<f32>(tuning[0]);
    }
    let most = workgroupUniformLoad(&surprise) / BITS;
    sharpness = 1.0 / sampling.temperature;
    let least = highest + sampling.temperature * (log(measure(kept, lane).y) - most);
    return Kept(min(key_of(least), key_of(highest)), kept.high);
}

{% if not every %}
var<private> kept_mass: f32; // of what mirostat kept, relative to the likeliest

// Mirostat's mu moves by how far the surprise of the token that was drawn is from the one that is wanted.
fn learn(id: u32) {
    let nats = log(kept_mass) - (logits[row + id] - highest) * sharpness;
    let mu = bitcast<f32>(tuning[0]) - sampling.mirostat_eta * (nats * BITS - sampling.mirostat_tau);
    tuning[0] = bitcast<u32>(mu);
}
{% endif %}
