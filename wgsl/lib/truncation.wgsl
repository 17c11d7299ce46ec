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
