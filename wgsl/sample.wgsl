// The next token of a sequence, picked from its logits on the GPU. In this order, which is llama.cpp's:
//   biases, penalties on what came lately, DRY                        lib/penalties.wgsl
//   top-n-sigma, top-k, typical-p, top-p, min-p, XTC; or mirostat 2   lib/kept.wgsl, lib/truncation.wgsl
//   temperature, which may be dynamic
//   logits f32 [vocabulary] (biases and penalties are applied to them in place)    tokens u32 [context + 1]
// tuned: with biases, DRY, top-n-sigma, typical-p, XTC, mirostat and dynamic temperature, which are left out otherwise: a
// kernel that has them takes twice as long to compile. What they need is in `tuning`, u32: mirostat's mu (the bits
// of an f32); a bit for each token that DRY stops at [(vocabulary + 31) / 32]; pairs of a token and its bias (the bits of
// an f32) [sampling.biases].
// Writes the token's id at tokens[position + count] and moves the step on to it, so that the next step can follow
// without the host. One workgroup.
// every: a token is picked after each of the step's, as if it were the last: by its own logits, f32 [count, vocabulary],
// and `tokens` up to it; it goes to `found`, u32 [count]. A workgroup for each; tokens, step and mu stay as they are.
// What is left over is a range of logits, found by bisection over their bits; of that, one token is drawn by an
// exponential race (argmax of logit / temperature - log E, E exponential).
// One workgroup has little to hide the latency of memory with, so an invocation reads `unroll` logits at once.
// Parameters: every, tuned, workgroup_size, unroll, subgroups.
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
{% if tuned %}
var<storage, read_write> tuning: array<u32>;
{% endif %}
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

{% include "lib/kept.wgsl" %}
{% include "lib/penalties.wgsl" %}
{% if tuned %}
{% include "lib/truncation.wgsl" %}
{% else %}

// What top-k, top-p and min-p leave of `all`: lib/truncation.wgsl in little.
fn truncated(all: Kept, end: u32, lane: u32) -> Kept {
    var kept = all;
    if sampling.top_k > 0u && sampling.top_k < params.vocabulary {
        kept = narrowed(kept, false, 0.0, f32(sampling.top_k), false, lane);
    }
    if sampling.top_p < 1.0 {
        kept = narrowed(kept, false, 0.0, sampling.top_p * measure(kept, lane).y, true, lane);
    }
    if sampling.min_p > 0.0 {
        kept.low = max(kept.low, key_of(kept.highest + log(sampling.min_p)));
    }
    return kept;
}
{% endif %}

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
    {% if tuned %}
    if sampling.biases > 0u {
        add_biases(lane);
        storageBarrier();
    }
    {% endif %}
    if sampling.repetition_penalty != 1.0 || sampling.presence_penalty != 0.0 || sampling.frequency_penalty != 0.0 {
        penalize(end, lane);
        storageBarrier();
    }
    {% if tuned %}
    if sampling.dry_multiplier > 0.0 {
        penalize_repetition(end, lane);
        storageBarrier();
    }
    {% endif %}

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
        {% if tuned %}
        temperature = sampling.temperature;
        sharpness = select(1.0, 1.0 / temperature, sampling.mirostat > 0u);
        {% else %}
        let temperature = sampling.temperature;
        {% endif %}
        // Without what was excluded beforehand, which lies lowest.
        let all = Kept(key_of(LOWEST) + 1u, 0xffffffffu, highest);
        let kept = truncated(all, end, lane);
        best = LOWEST;
        for (var id = lane; id < params.vocabulary; id += THREADS) {
            if is_kept(logits[row + id], kept) {
                let race = random_exponential(vec3<u32>(id, end, sampling.seed));
                let score = (logits[row + id] - highest) / temperature - log(race);
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
        {% if tuned %}
        if sampling.mirostat > 0u && sampling.temperature > 0.0 {
            learn(highest - logits[row + u32(id)], kept_mass);
        }
        {% endif %}
        {% endif %}
    }
}
