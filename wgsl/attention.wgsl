// Causal attention with grouped heads over the cache, softmax computed on the fly (online softmax, arXiv:1805.02867).
//   q f32 [T, heads, head_dim]    k_cache, v_cache [context, kv_heads, head_dim], pairs packed to u32 or f32
//   out f32 [T, heads, head_dim]; with splits above 1 [T, heads, splits, head_dim + 2], for attention_merge.wgsl:
//   values not yet divided by the sum of their weights, the highest score, that sum
// Workgroup (head, t, split) walks the positions 0 .. position + t, every splits-th tile of workgroup_size of them:
// first an invocation a position makes the scores, then COLUMNS invocations a pair of elements, in GROUPS teams, add
// the values. With a window, each position sees only the last `window` of them; with a soft cap c, a score s becomes
// c tanh(s / c) (Gemma 2, arXiv:2408.00118); with sinks, the softmax has one more score for each head, which has no value (gpt-oss,
// arXiv:2508.10925; as the attention sinks of arXiv:2309.17453).
// Parameters: window, soft_cap, sinks, head_dim (even), half (the cache is packed to half precision), splits,
// workgroup_size (a power of two, at least head_dim / 2), subgroups.
{% include "lib/step.wgsl" %}
struct Params {
    heads: u32,
    kv_heads: u32,
    scale: f32,
    window: u32,
    soft_cap: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: Step;
@group(0) @binding(2) var<storage, read> q: array<vec2<f32>>;
{% set quads = half and head_dim % 8 == 0 %}
@group(0) @binding(3) var<storage, read> k_cache: array<{{ "vec4<u32>" if quads else "u32" if half else "vec2<f32>" }}>;
@group(0) @binding(4) var<storage, read> v_cache: array<{{ "u32" if half else "vec2<f32>" }}>;
@group(0) @binding(5) var<storage, read_write> out: array<vec2<f32>>;
{% if sinks %}
@group(0) @binding(6) var<storage, read> sinks: array<f32>;
{% endif %}

const TILE: u32 = {{ workgroup_size }}u;
const SPLITS: u32 = {{ splits }}u;
const COLUMNS: u32 = {{ head_dim // 2 }}u;
const GROUPS: u32 = TILE / COLUMNS;

const LOWEST: f32 = -3.4028234e38;

{% set reductions = ["sum", "max"] %}
{% include "lib/reduce.wgsl" %}
{% if soft_cap %}
{% include "lib/tanh.wgsl" %}
{% endif %}

var<workgroup> query: array<vec2<f32>, COLUMNS>;
var<workgroup> weights: array<f32, TILE>;
var<workgroup> team_sums: array<vec2<f32>, TILE>;

// The score of the position whose key starts at pair `at`.
fn score_of(at: u32) -> f32 {
    var score = 0.0;
    {% if quads %}
    for (var i = 0u; i < COLUMNS / 4u; i++) {
        let key = k_cache[at / 4u + i];
        score += dot(query[4u * i], unpack2x16float(key.x)) + dot(query[4u * i + 1u], unpack2x16float(key.y));
        score += dot(query[4u * i + 2u], unpack2x16float(key.z)) + dot(query[4u * i + 3u], unpack2x16float(key.w));
    }
    {% else %}
    for (var i = 0u; i < COLUMNS; i++) {
        let key = k_cache[at + i];
        score += dot(query[i], {{ "unpack2x16float(key)" if half else "key" }});
    }
    {% endif %}
    return score;
}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let head = group.x;
    let t = group.y;
    if t >= step.count {
        return;
    }
    let stride = params.kv_heads * COLUMNS;
    let kv_head = head / (params.heads / params.kv_heads) * COLUMNS;
    let q_at = (t * params.heads + head) * COLUMNS;
    if lane < COLUMNS {
        query[lane] = params.scale * q[q_at + lane];
    }
    workgroupBarrier();

    let length = step.position + t + 1u;
    let column = lane % COLUMNS;
    let team = lane / COLUMNS;
    var highest = LOWEST;
    var total = 0.0;
    {% if sinks %}
    if group.z == 0u {
        highest = sinks[head];
        total = 1.0;
    }
    {% endif %}
    var value = vec2<f32>(0.0);
    let first = {{ "length - min(length, params.window)" if window else "0u" }};
    for (var start = first + group.z * TILE; start < length; start += SPLITS * TILE) {
        let position = start + lane;
        var score = LOWEST;
        if position < length {
            score = score_of(position * stride + kv_head);
            {% if soft_cap %}
            score = params.soft_cap * stable_tanh(score / params.soft_cap);
            {% endif %}
        }
        let new_highest = max(highest, workgroup_max(score, lane));
        let weight = select(0.0, exp(score - new_highest), position < length);
        let rescale = exp(highest - new_highest);
        highest = new_highest;
        total = total * rescale + workgroup_sum(weight, lane);
        weights[lane] = weight;
        workgroupBarrier();
        value *= rescale;
        if team < GROUPS {
            for (var i = team; i < min(TILE, length - start); i += GROUPS) {
                let pair = v_cache[(start + i) * stride + kv_head + column];
                value += weights[i] * {{ "unpack2x16float(pair)" if half else "pair" }};
            }
        }
        workgroupBarrier();
    }

    {% if splits > 1 %}
    let part_at = ((t * params.heads + head) * SPLITS + group.z) * (COLUMNS + 1u);
    {% endif %}
    team_sums[lane] = value;
    workgroupBarrier();
    if lane < COLUMNS {
        var sum = team_sums[lane];
        for (var i = 1u; i < GROUPS; i++) {
            sum += team_sums[lane + i * COLUMNS];
        }
        {% if splits > 1 %}
        out[part_at + lane] = sum;
        {% else %}
        out[q_at + lane] = sum / total;
        {% endif %}
    }
    {% if splits > 1 %}
    if lane == 0u {
        out[part_at + COLUMNS] = vec2<f32>(highest, total);
    }
    {% endif %}
}
