// The next token of a sequence, picked from its logits on the GPU: repetition penalty, top-k, top-p, min-p,
// temperature.
//   logits f32 [vocabulary] (the penalty is applied to them in place)    tokens u32 [context + 1]
// Writes the token's id at tokens[position + count] and moves the step on to it, so that the next step can follow
// without the host. One workgroup.
// every: a token is picked after each of the step's, as if it were the last: by its own logits, f32 [count, vocabulary],
// and `tokens` up to it; it goes to `found`, u32 [count]. A workgroup for each; tokens and step stay as they are.
// What top-k and top-p leave is found as a threshold on the logits, by bisection over
// their bits; of that, one token is drawn by an exponential race (argmax of logit / temperature - log E, E exponential).
// One workgroup has little to hide the latency of memory with, so an invocation reads `unroll` logits at once.
// Parameters: every, workgroup_size, unroll, subgroups.
{% include "lib/step.wgsl" %}
struct Params {
    vocabulary: u32,
}

{% include "lib/sampling.wgsl" %}
var<uniform> params: Params;
var<uniform> sampling: Sampling;
var<storage, read_write> step: Step;
var<storage, read_write> logits: array<f32>;
var<storage, read_write> tokens: array<u32>;
{% if every %}
var<storage, read_write> found: array<u32>;
{% endif %}

const THREADS: u32 = {{ workgroup_size }}u;
const LOWEST: f32 = -3.4028234e38;

{% set reductions = ["sum", "max"] %}
{% include "lib/reduce.wgsl" %}
{% include "lib/random.wgsl" %}

var<workgroup> end_of_tokens: u32;
var<private> row: u32; // where the logits begin

{# The statements of the caller for each logit: its id and its value. #}
{% macro for_each_logit() %}
    for (var first = lane; first < params.vocabulary; first += THREADS * {{ unroll }}u) {
        {% for u in range(unroll) %}
        let id_{{ u }} = first + {{ u }}u * THREADS;
        let logit_{{ u }} = logits[row + min(id_{{ u }}, params.vocabulary - 1u)];
        {% endfor %}
        {% for u in range(unroll) %}
        if id_{{ u }} < params.vocabulary {
{{ caller("id_%d" % u, "logit_%d" % u) }}
        }
        {% endfor %}
    }
{% endmacro %}

// Order-preserving map of f32 to u32.
fn key_of(value: f32) -> u32 {
    let bits = bitcast<u32>(value);
    return select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u);
}

// How many logits have a key of at least `key` (x), and their probability relative to the highest (y).
fn measure(key: u32, highest: f32, lane: u32) -> vec2<f32> {
    var count = 0.0;
    var mass = 0.0;
    {% call(id, logit) for_each_logit() %}
            if key_of({{ logit }}) >= key {
                count += 1.0;
                mass += exp({{ logit }} - highest);
            }
    {%- endcall %}
    return vec2<f32>(workgroup_sum(count, lane), workgroup_sum(mass, lane));
}

// The highest key above `start` that still leaves `goal` tokens, or (by_mass) a probability of `goal`.
fn threshold(start: u32, goal: f32, by_mass: bool, highest: f32, lane: u32) -> u32 {
    var low = start;
    var high = key_of(highest) + 1u;
    var low_count = f32(params.vocabulary);
    var high_count = 0.0;
    // One token between the bounds, or exactly as many as wanted: no finer key changes what is left.
    while high - low > 1u && low_count - high_count > 1.0 && (by_mass || low_count != goal) {
        let middle = low + (high - low) / 2u;
        let measured = measure(middle, highest, lane);
        if select(measured.x, measured.y, by_mass) >= goal {
            low = middle;
            low_count = measured.x;
        } else {
            high = middle;
            high_count = measured.x;
        }
    }
    return low;
}

// Divides the logits of the last tokens by the penalty (multiplies where they are negative), each once
// (arXiv:1909.05858).
fn penalize(end: u32, lane: u32) {
    let window = min(sampling.penalty_window, end);
    for (var i = lane; i < window; i += THREADS) {
        let id = tokens[end - 1u - i];
        var seen = false;
        for (var j = 0u; j < i; j++) {
            seen = seen || tokens[end - 1u - j] == id;
        }
        if !seen {
            let logit = logits[row + id];
            logits[row + id] = logit * select(sampling.repetition_penalty, 1.0 / sampling.repetition_penalty, logit > 0.0);
        }
    }
}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3<u32>) {
    {% if every %}
    if lane == 0u {
        end_of_tokens = select(0u, step.position + workgroup.x + 1u, workgroup.x < step.count);
    }
    let end = workgroupUniformLoad(&end_of_tokens);
    if end == 0u {
        return;
    }
    {% else %}
    if lane == 0u {
        end_of_tokens = step.position + step.count;
    }
    let end = workgroupUniformLoad(&end_of_tokens);
    {% endif %}
    row = workgroup.x * params.vocabulary;
    if sampling.repetition_penalty != 1.0 {
        penalize(end, lane);
        storageBarrier();
    }

    var best = LOWEST;
    var best_id = 0u;
    {% call(id, logit) for_each_logit() %}
            if {{ logit }} > best {
                best = {{ logit }};
                best_id = {{ id }};
            }
    {%- endcall %}
    let highest = workgroup_max(best, lane);

    if sampling.temperature > 0.0 {
        var key = 0u;
        if sampling.top_k > 0u && sampling.top_k < params.vocabulary {
            key = threshold(key, f32(sampling.top_k), false, highest, lane);
        }
        if sampling.top_p < 1.0 {
            key = threshold(key, sampling.top_p * measure(key, highest, lane).y, true, highest, lane);
        }
        if sampling.min_p > 0.0 {
            key = max(key, key_of(highest + log(sampling.min_p)));
        }
        best = LOWEST;
        for (var id = lane; id < params.vocabulary; id += THREADS) {
            if key_of(logits[row + id]) >= key {
                let race = random_exponential(vec3<u32>(id, end, sampling.seed));
                let score = (logits[row + id] - highest) / sampling.temperature - log(race);
                if score > best {
                    best = score;
                    best_id = id;
                }
            }
        }
    }
    // The winner of all lanes; of equals, the lowest id (ids are exact in f32 up to 2^24).
    let winning = workgroup_max(best, lane);
    let id = -workgroup_max(select(LOWEST, -f32(best_id), best == winning), lane);
    if lane == 0u {
        {% if every %}
        found[workgroup.x] = u32(id);
        {% else %}
        tokens[end] = u32(id);
        step.position = end;
        step.count = 1u;
        {% endif %}
    }
}
