// Causal attention of few queries over many positions, softmax computed on the fly (online softmax, arXiv:1805.02867).
//   q f32 [T, heads, head_dim]    k_cache, v_cache [context, kv_heads, head_dim], pairs packed to u32 or f32
//   out f32 [T, heads, head_dim]; with splits above 1 [T, heads, splits, head_dim + 2], for attention_merge.wgsl:
//   values not yet divided by the sum of their weights, the highest score, that sum
// Workgroup (x, t, split) takes `group` heads that share keys and values, so that each is read once for all of them,
// and the split-th share of the positions that token t sees. It walks them a tile of workgroup_size at a time: first
// an invocation a position makes the scores, then teams of an invocation an octet add the values. Reads are unrolled:
// with few queries a GPU waits for memory, not for arithmetic.
// Parameters: those of lib/attention.wgsl; window; splits; group (divides heads / kv_heads); key_unroll (octets of a
// key read at once; divides their number); value_unroll (positions of which a team reads the values at once);
// workgroup_size (a power of two, at least 16 group and head_dim / 4). Words of workgroup memory:
// group * (head_dim rounded up to 8 + workgroup_size + 16) + 8 workgroup_size.
{% include "lib/attention.wgsl" %}

{% set octets = (head_dim + 7) // 8 %}
const GROUP: u32 = {{ group }}u;
const SPLITS: u32 = {{ splits }}u;
const TILE: u32 = {{ workgroup_size }}u;
const TEAMS: u32 = TILE / OCTETS;
const STRANDS: u32 = 16u; // in which the numbers of a tile are reduced

var<workgroup> query: array<vec4<f32>, GROUP * QUADS>;
var<workgroup> tile: array<f32, GROUP * TILE>; // of each head: scores, then weights
var<workgroup> strands: array<f32, GROUP * STRANDS>;
var<workgroup> sums: array<vec4<f32>, 2u * TILE>;

// Leaves the highest of `tile` (or its sum) of each head in STRANDS parts.
fn reduce_tile(is_sum: bool, lane: u32) {
    workgroupBarrier();
    if lane < GROUP * STRANDS {
        let at = lane / STRANDS * TILE + lane % STRANDS;
        var highest = tile[at];
        var sum = tile[at];
        {% for i in range(1, workgroup_size // 16) %}
        let value_{{ i }} = tile[at + {{ i }}u * STRANDS];
        highest = max(highest, value_{{ i }});
        sum += value_{{ i }};
        {% endfor %}
        strands[lane] = select(highest, sum, is_sum);
    }
    workgroupBarrier();
}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let t = workgroup.y;
    if t >= step.count {
        return;
    }
    let head = workgroup.x * GROUP;
    let kv_head = head / (params.heads / params.kv_heads);
    for (var i = lane; i < GROUP * QUADS; i += TILE) {
        query[i] = query_quad((t * params.heads + head + i / QUADS) * (HEAD_DIM / 2u), i % QUADS);
    }
    workgroupBarrier();

    let length = step.position + t + 1u;
    let first = {{ "length - min(length, params.window)" if window else "0u" }};
    {% if splits > 1 %}
    let share = (length - first + SPLITS - 1u) / SPLITS;
    let begin = min(first + workgroup.z * share, length);
    let end = min(begin + share, length);
    {% else %}
    let begin = first;
    let end = length;
    {% endif %}
    let column = lane % OCTETS;
    let team = lane / OCTETS;
    {% for g in range(group) %}
    var highest_{{ g }} = LOWEST;
    var total_{{ g }} = 0.0; // this invocation's part of it
    var low_{{ g }} = vec4<f32>(0.0);
    var high_{{ g }} = vec4<f32>(0.0);
    {% if sinks %}
    if workgroup.z == 0u {
        highest_{{ g }} = sinks[head + {{ g }}u];
        total_{{ g }} = select(0.0, 1.0, lane == 0u);
    }
    {% endif %}
    {% endfor %}

    for (var start = begin; start < end; start += TILE) {
        let count = min(TILE, end - start);
        {% for g in range(group) %}
        var score_{{ g }} = LOWEST;
        {% endfor %}
        if lane < count {
            let row = (start + lane) * params.kv_heads + kv_head;
            {% for g in range(group) %}
            score_{{ g }} = 0.0;
            {% endfor %}
            for (var i = 0u; i < OCTETS; i += {{ key_unroll }}u) {
                {% for u in range(key_unroll) %}
                let key_{{ u }} = k_octet(row, i + {{ u }}u);
                {% endfor %}
                {% for g in range(group) %}
                {% for u in range(key_unroll) %}
                score_{{ g }} += dot(query[{{ g }}u * QUADS + 2u * (i + {{ u }}u)], key_{{ u }}.low);
                score_{{ g }} += dot(query[{{ g }}u * QUADS + 2u * (i + {{ u }}u) + 1u], key_{{ u }}.high);
                {% endfor %}
                {% endfor %}
            }
            {% for g in range(group) %}
            score_{{ g }} = capped(score_{{ g }});
            {% endfor %}
        }
        {% for g in range(group) %}
        tile[{{ g }}u * TILE + lane] = score_{{ g }};
        {% endfor %}
        reduce_tile(false, lane);
        {% for g in range(group) %}
        var new_highest_{{ g }} = highest_{{ g }};
        {% for i in range(16) %}
        new_highest_{{ g }} = max(new_highest_{{ g }}, strands[{{ g * 16 + i }}u]);
        {% endfor %}
        let rescale_{{ g }} = exp(highest_{{ g }} - new_highest_{{ g }});
        let weight_{{ g }} = select(0.0, exp(score_{{ g }} - new_highest_{{ g }}), lane < count);
        highest_{{ g }} = new_highest_{{ g }};
        total_{{ g }} = total_{{ g }} * rescale_{{ g }} + weight_{{ g }};
        low_{{ g }} *= rescale_{{ g }};
        high_{{ g }} *= rescale_{{ g }};
        tile[{{ g }}u * TILE + lane] = weight_{{ g }};
        {% endfor %}
        workgroupBarrier();
        if team < TEAMS {
            for (var i = team; i < count; i += TEAMS * {{ value_unroll }}u) {
                // Past the last position its value is read again, with no weight.
                {% for u in range(value_unroll) %}
                let at_{{ u }} = min(i + TEAMS * {{ u }}u, count - 1u);
                let value_{{ u }} = v_octet((start + at_{{ u }}) * params.kv_heads + kv_head, column);
                {% endfor %}
                {% for u in range(value_unroll) %}
                let is_seen_{{ u }} = i + TEAMS * {{ u }}u < count;
                {% for g in range(group) %}
                let weight_{{ g }}_{{ u }} = select(0.0, tile[{{ g }}u * TILE + at_{{ u }}], is_seen_{{ u }});
                low_{{ g }} += weight_{{ g }}_{{ u }} * value_{{ u }}.low;
                high_{{ g }} += weight_{{ g }}_{{ u }} * value_{{ u }}.high;
                {% endfor %}
                {% endfor %}
            }
        }
        workgroupBarrier();
    }

    {% for g in range(group) %}
    tile[{{ g }}u * TILE + lane] = total_{{ g }};
    {% endfor %}
    reduce_tile(true, lane);
    {% for g in range(group) %}
    var sum_{{ g }} = 0.0;
    {% for i in range(16) %}
    sum_{{ g }} += strands[{{ g * 16 + i }}u];
    {% endfor %}
    {% if splits > 1 %}
    let at_{{ g }} = ((t * params.heads + head + {{ g }}u) * SPLITS + workgroup.z) * (HEAD_DIM / 2u + 1u);
    if lane == 0u {
        out[at_{{ g }} + HEAD_DIM / 2u] = vec2<f32>(highest_{{ g }}, sum_{{ g }});
    }
    {% else %}
    let at_{{ g }} = (t * params.heads + head + {{ g }}u) * (HEAD_DIM / 2u);
    low_{{ g }} /= sum_{{ g }};
    high_{{ g }} /= sum_{{ g }};
    {% endif %}
    sums[2u * lane] = low_{{ g }};
    sums[2u * lane + 1u] = high_{{ g }};
    workgroupBarrier();
    if lane < QUADS {
        var value = sums[lane];
        {% for i in range(1, workgroup_size // octets) %}
        value += sums[{{ i }}u * QUADS + lane];
        {% endfor %}
        store_quad(at_{{ g }}, lane, value);
    }
    {% if not loop.last %}
    workgroupBarrier();
    {% endif %}
    {% endfor %}
}
