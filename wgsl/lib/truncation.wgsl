// What samplers that are seldom asked for need beside lib/kept.wgsl.

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
                let weight = select(distance, exp({{ logit }} - kept.highest), what == WEIGHTED);
                sum += select(distance * weight, distance, what == DISTANCE);
            }
    {%- endcall %}
    return workgroup_sum(sum, lane);
}

// Top-n-sigma (arXiv:2411.07641): the lowest logit, at most so many standard deviations below the highest.
// measured: how many are kept. distance: how far they lie from the highest, summed up.
fn least_within_sigma(kept: Kept, count: f32, distance: f32, lane: u32) -> f32 {
    let deviation = sqrt(total(SQUARE, kept.highest + distance / count, kept, lane) / count);
    return kept.highest - sampling.top_n_sigma * deviation;
}

fn highest_of(kept: Kept, lane: u32) -> f32 {
    var found = LOWEST;
    for (var id = lane; id < params.vocabulary; id += THREADS) {
        let logit = logits[row + id];
        found = select(found, max(found, logit), is_kept(logit, kept));
    }
    return workgroup_max(found, lane);
}

// XTC ("exclude top choices", p-e-w, text-generation-webui #6335): the lowest logit of those from `least` on: what is
// above it is dropped.
fn least_top_choice(kept: Kept, least: f32, lane: u32) -> f32 {
    var nearest = -LOWEST;
    for (var id = lane; id < params.vocabulary; id += THREADS) {
        let logit = logits[row + id];
        if is_kept(logit, kept) && logit >= least {
            nearest = min(nearest, logit);
        }
    }
    return -workgroup_max(-nearest, lane);
}

// Dynamic temperature: from temperature - range to temperature + range, by how uncertain the model is: the entropy of
// what is kept, as a share of the most that it could be.
// measured: how many are kept, and their mass. distance: the one from the highest, weighted by that, summed up.
fn dynamic_temperature(measured: vec2<f32>, distance: f32) -> f32 {
    if measured.x <= 1.0 {
        return sampling.temperature;
    }
    let entropy = log(measured.y) - distance / measured.y;
    let share = pow(max(entropy, 0.0) / log(measured.x), sampling.dynatemp_exponent);
    let coldest = max(0.0, sampling.temperature - sampling.dynatemp_range);
    return max(COLDEST, mix(coldest, sampling.temperature + sampling.dynatemp_range, share));
}

// Mirostat 2 (arXiv:2007.14966): the lowest logit that surprises by at most mu bits; the highest in any case.
fn least_within_surprise(highest: f32, mass: f32, lane: u32) -> f32 {
    if lane == 0u {
        surprise = bitcast<f32>(tuning[0]);
    }
    let most = workgroupUniformLoad(&surprise) / BITS;
    return min(highest, highest + sampling.temperature * (log(mass) - most));
}
{% if not every %}

// Mirostat's mu moves by how far the surprise of the token that was drawn, of what was kept, is from the one wanted.
// distance: of its logit from the highest. mass: of what was kept.
fn learn(distance: f32, mass: f32) {
    let nats = log(mass) + distance * sharpness;
    let mu = bitcast<f32>(tuning[0]) - sampling.mirostat_eta * (nats * BITS - sampling.mirostat_tau);
    tuning[0] = bitcast<u32>(mu);
}
{% endif %}

// Samplers in llama.cpp's order. (What sums over the vocabulary stands in one place for all of them: compilers copy it to
// where it is called, and take long enough.)
const TOP_N_SIGMA: u32 = 0u;
const TOP_K: u32 = 1u;
const TYPICAL_P: u32 = 2u;
const TOP_P: u32 = 3u;
const MIN_P: u32 = 4u;
const XTC: u32 = 5u;
const MIROSTAT: u32 = 6u;
const TEMPERATURE: u32 = 7u;
const LAST: u32 = TEMPERATURE;

var<private> temperature: f32;
var<private> kept_mass: f32; // relative to the highest

fn is_wanted(stage: u32, end: u32) -> bool {
    if sampling.mirostat > 0u && stage < MIROSTAT {
        return false;
    }
    switch stage {
        case TOP_K: { return sampling.top_k > 0u && sampling.top_k < params.vocabulary; }
        case TOP_P: { return sampling.top_p < 1.0; }
        case MIN_P: { return sampling.min_p > 0.0; }
        case TOP_N_SIGMA: { return sampling.top_n_sigma > 0.0; }
        case TYPICAL_P: { return sampling.typical_p < 1.0; }
        case XTC: {
            let chance = random_uniform(vec3<u32>(CHANCE, end, sampling.seed));
            return chance < sampling.xtc_probability;
        }
        case MIROSTAT: { return sampling.mirostat > 0u; }
        case TEMPERATURE: { return sampling.mirostat > 0u || sampling.dynatemp_range > 0.0; }
        default: { return false; }
    }
}

// What the samplers leave of `all`. end: how many tokens there are.
fn truncated(all: Kept, end: u32, lane: u32) -> Kept {
    var kept = all;
    for (var stage = TOP_N_SIGMA; stage <= LAST; stage++) {
        if !is_wanted(stage, end) {
            continue;
        }
        var measured = vec2<f32>(0.0);
        if stage != TOP_K && stage != MIN_P {
            measured = measure(kept, lane);
        }
        var around = false;
        var centre = 0.0;
        var goal = select(sampling.top_p * measured.y, f32(sampling.top_k), stage == TOP_K);
        var distance = 0.0;
        if stage == TOP_N_SIGMA || stage == TYPICAL_P || stage == TEMPERATURE {
            distance = total(select(WEIGHTED, DISTANCE, stage == TOP_N_SIGMA), kept.highest, kept, lane);
        }
        if stage == TYPICAL_P {
            // Locally typical sampling (arXiv:2202.00666): those whose surprise is nearest to the expected one. It is a
            // constant less the logit, so they are those nearest to the mean logit.
            around = true;
            centre = kept.highest + distance / measured.y;
            goal = sampling.typical_p * measured.y;
        }
        if stage == TOP_K || stage == TOP_P || stage == TYPICAL_P {
            kept = narrowed(kept, around, centre, goal, stage != TOP_K, lane);
        }
        if stage == MIN_P {
            kept.low = max(kept.low, key_of(kept.highest + log(sampling.min_p)));
        }
        if stage == TOP_N_SIGMA {
            kept.low = key_of(least_within_sigma(kept, measured.x, distance, lane));
        }
        if stage == TYPICAL_P {
            kept.highest = highest_of(kept, lane);
        }
        if stage == XTC {
            let least = kept.highest + log(sampling.xtc_threshold * measured.y);
            kept.high = min(kept.high, key_of(least_top_choice(kept, least, lane)));
        }
        if stage == MIROSTAT {
            kept.low = key_of(least_within_surprise(kept.highest, measured.y, lane));
        }
        if stage == TEMPERATURE {
            kept_mass = measured.y;
            if sampling.mirostat == 0u {
                temperature = dynamic_temperature(measured, distance);
            }
        }
    }
    return kept;
}
