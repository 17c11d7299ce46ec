// Attention of few queries over many positions, softmax computed on the fly (online softmax, arXiv:1805.02867).
//   q f32 [T, heads, head_dim]    k_cache, v_cache [context, kv_heads, head_dim]: see lib/append.wgsl
//   out f32 [T, heads, length of a value]; with splits above 1 its partials: see lib/attention_partials.wgsl
// Workgroup (x, t, split) takes `group` heads that share keys and values, so that each is read once for all of them,
// and the split-th share of the positions that token t sees. It walks them a tile of workgroup_size at a time: first
// an invocation a position makes the scores, then teams of an invocation an octet add the values. Reads are unrolled,
// and the first values are on their way while scores are made: with few queries a GPU waits for memory, not for
// arithmetic.
// Parameters: those of lib/attention.wgsl; splits; group (divides heads / kv_heads); key_unroll (octets of a
// key read at once; divides their number); value_unroll (positions of which a team reads the values at once);
// workgroup_size (a power of two, at least 16 group and as many as octets of a value); width (neighbouring invocations whose numbers are
// reduced by shuffles: a power of two, no more than a subgroup has; 1 without subgroups); strands (in which those of a
// tile are reduced: workgroup_size / width, or without subgroups a power of two). Words of workgroup memory: see
// `_words` in py_wgml/ops/attention.py.
{% include "lib/attention.wgsl" %}

{% set octets = ((latent or head_dim) + 7) // 8 %} {#- of a value #}
const GROUP: u32 = {{ group }}u;
const SPLITS: u32 = {{ splits }}u;
const TILE: u32 = {{ workgroup_size }}u;
const TEAMS: u32 = TILE / VALUE_OCTETS;
const WIDTH: u32 = {{ width }}u;
const STRANDS: u32 = {{ strands }}u;
{# Teams in one subgroup add their values by shuffles. #}
{% set teams_shuffle = width > octets and width % octets == 0 %}
{% set rows = workgroup_size // width if teams_shuffle else workgroup_size // octets %}
const ROWS: u32 = {{ rows }}u; // of partial sums of a head's values
{% set at_once = [2 * workgroup_size // (rows * 2 * octets), 1] | max %}

var<workgroup> query: array<vec4<f32>, GROUP * QUADS>;
var<workgroup> tile: array<f32, GROUP * TILE>; // of each head: scores, then weights
var<workgroup> strands: array<f32, GROUP * STRANDS>;
var<workgroup> sums: array<vec4<f32>, 2u * TILE>;

{% macro reduce(name, function) %}
    {% if width > 1 %}
    {% for g in range(group) %}
    var {{ function }}_{{ g }} = {{ name }}_{{ g }};
    for (var stride = WIDTH / 2u; stride > 0u; stride >>= 1u) {
        {% set other = "subgroupShuffleXor(%s_%d, stride)" % (function, g) %}
        {{ function }}_{{ g }} {{ "+= " ~ other if function == "sum" else "= max(max_%d, %s)" % (g, other) }};
    }
    {% endfor %}
    if lane % WIDTH == 0u {
        {% for g in range(group) %}
        strands[{{ g }}u * STRANDS + lane / WIDTH] = {{ function }}_{{ g }};
        {% endfor %}
    }
    {% else %}
    {% for g in range(group) %}
    tile[{{ g }}u * TILE + lane] = {{ name }}_{{ g }};
    {% endfor %}
    reduce_tile({{ "true" if function == "sum" else "false" }}, lane);
    {% endif %}
    workgroupBarrier();
{% endmacro %}
{% if width == 1 %}

// Leaves the highest of `tile` (or its sum) of each head in STRANDS parts.
fn reduce_tile(is_sum: bool, lane: u32) {
    workgroupBarrier();
    if lane < GROUP * STRANDS {
        let index = lane / STRANDS * TILE + lane % STRANDS;
        var highest = tile[index];
        var sum = tile[index];
        {% for i in range(1, workgroup_size // strands) %}
        let value_{{ i }} = tile[index + {{ i }}u * STRANDS];
        highest = max(highest, value_{{ i }});
        sum += value_{{ i }};
        {% endfor %}
        strands[lane] = select(highest, sum, is_sum);
    }
}
{% endif %}

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

    let positions = seen(t);
    {% if splits > 1 %}
    let share = (positions.y - positions.x + SPLITS - 1u) / SPLITS;
    let begin = min(positions.x + workgroup.z * share, positions.y);
    let end = min(begin + share, positions.y);
    {% else %}
    let begin = positions.x;
    let end = positions.y;
    {% endif %}
    let column = lane % VALUE_OCTETS;
    let team = lane / VALUE_OCTETS;
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
        {# Past the last position its value is read again, with no weight. #}
        {% macro load_values(i) %}
        {% for u in range(value_unroll) %}
        value_{{ u }} = v_octet((start + min({{ i }} + TEAMS * {{ u }}u, count - 1u)) * params.kv_heads + kv_head, column);
        {% endfor %}
        {% endmacro %}
        {% for u in range(value_unroll) %}
        var value_{{ u }}: Octet;
        {% endfor %}
{{ load_values("team") }}
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
            {% if alibi %}
            score_{{ g }} -= slope(head + {{ g }}u) * abs(f32(start + lane) - f32(step.position + t));
            {% endif %}
            {% endfor %}
        }
{{ reduce("score", "max") | indent(4, true) }}
        {% for g in range(group) %}
        var new_highest_{{ g }} = highest_{{ g }};
        {% for i in range(strands) %}
        new_highest_{{ g }} = max(new_highest_{{ g }}, strands[{{ g * strands + i }}u]);
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
        for (var i = team; i < select(0u, count, team < TEAMS); i += TEAMS * {{ value_unroll }}u) {
            if i != team {
{{ load_values("i") | indent(8) }}
            }
            {% for u in range(value_unroll) %}
            let at_{{ u }} = i + TEAMS * {{ u }}u;
            {% for g in range(group) %}
            let weight_{{ g }}_{{ u }} = select(0.0, tile[{{ g }}u * TILE + min(at_{{ u }}, TILE - 1u)], at_{{ u }} < count);
            low_{{ g }} += weight_{{ g }}_{{ u }} * value_{{ u }}.low;
            high_{{ g }} += weight_{{ g }}_{{ u }} * value_{{ u }}.high;
            {% endfor %}
            {% endfor %}
        }
        workgroupBarrier();
    }

{{ reduce("total", "sum") }}
    {% if teams_shuffle %}
    for (var stride = VALUE_OCTETS; stride < WIDTH; stride <<= 1u) {
        {% for g in range(group) %}
        low_{{ g }} += subgroupShuffleXor(low_{{ g }}, stride);
        high_{{ g }} += subgroupShuffleXor(high_{{ g }}, stride);
        {% endfor %}
    }
    let row = lane / WIDTH;
    let has_sum = lane % WIDTH < VALUE_OCTETS;
    {% else %}
    let row = team;
    let has_sum = team < TEAMS;
    {% endif %}
    {% for first in range(0, group, at_once) %}
    {% set heads = range(first, [first + at_once, group] | min) %}
    if has_sum {
        {% for g in heads %}
        sums[(ROWS * {{ g - first }}u + row) * VALUE_QUADS + 2u * column] = low_{{ g }};
        sums[(ROWS * {{ g - first }}u + row) * VALUE_QUADS + 2u * column + 1u] = high_{{ g }};
        {% endfor %}
    }
    workgroupBarrier();
    for (var i = lane; i < {{ heads | length }}u * VALUE_QUADS; i += TILE) {
        let g = {{ first }}u + i / VALUE_QUADS;
        let quad = i % VALUE_QUADS;
        var value = sums[i / VALUE_QUADS * ROWS * VALUE_QUADS + quad];
        {% for i in range(1, rows) %}
        value += sums[(i / VALUE_QUADS * ROWS + {{ i }}u) * VALUE_QUADS + quad];
        {% endfor %}
        {% if splits > 1 %}
        store_quad(((t * SPLITS + workgroup.z) * params.heads + head + g) * (VALUE_DIM / 2u), quad, value);
        {% else %}
        var total = 0.0;
        for (var strand = 0u; strand < STRANDS; strand++) {
            total += strands[g * STRANDS + strand];
        }
        store_quad((t * params.heads + head + g) * (VALUE_DIM / 2u), quad, value / total);
        {% endif %}
    }
    {% if not loop.last %}
    workgroupBarrier();
    {% endif %}
    {% endfor %}
    {% if splits > 1 %}
    if lane < GROUP {
        var total = 0.0;
        for (var strand = 0u; strand < STRANDS; strand++) {
            total += strands[lane * STRANDS + strand];
        }
        var highest = highest_0;
        {% for g in range(1, group) %}
        highest = select(highest, highest_{{ g }}, lane == {{ g }}u);
        {% endfor %}
        let state = (t * params.heads + head + lane) * SPLITS + workgroup.z;
        out[step.count * SPLITS * params.heads * (VALUE_DIM / 2u) + state] = vec2<f32>(highest, total);
    }
    {% endif %}
}
