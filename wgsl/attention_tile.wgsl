// Attention of the many queries of a prompt: as attention_vector.wgsl, but what is read of the cache serves a
// tile of queries (as in FlashAttention, arXiv:2205.14135).
//   q f32 [T, heads, head_dim]    k_cache, v_cache [context, kv_heads, head_dim]: see lib/append.wgsl
//   out f32 [T, heads, length of a value]
// Heads that share keys and values share tiles: row r of key/value head h is head h * group + r % group of token
// r / group. Workgroup (x, h) takes tile_rows rows and walks the positions 64 at a time, its invocations being bands of
// 16 lanes. A lane makes the scores of its band's 4 rows with 4 positions, from queries and keys that come in slices of
// two octets; and then every 16th quad of those rows' outputs, from values that come in slices of several positions,
// a part of up to 32 octets after the other.
// 14 KiB of workgroup memory. Parameters: those of lib/attention.wgsl; group; tile_rows (32: what the slices of keys and
// values are made for).
{% include "lib/attention.wgsl" %}

{% set value_octets = ((latent or head_dim) + 7) // 8 %}
{% set part_octets = [value_octets, 32] | min %}
{% set parts = (value_octets + part_octets - 1) // part_octets %}
{% set part_columns = (2 * part_octets + 15) // 16 %}
{% set columns = parts * part_columns %}
const GROUP: u32 = {{ group }}u;
const LANES: u32 = 16u;
const ROWS: u32 = {{ tile_rows }}u;
const POSITIONS: u32 = 64u;
const THREADS: u32 = ROWS / 4u * LANES;
const SLICE_OCTETS: u32 = 2u;
const SLICE_QUADS: u32 = 2u * SLICE_OCTETS;
const PART_OCTETS: u32 = {{ part_octets }}u; // of values
const PART_QUADS: u32 = 2u * PART_OCTETS;
const SLICE_POSITIONS: u32 = {{ [128 // part_octets // 4 * 4, 64] | min }}u; // as many as fit kv_slice, by fours

var<workgroup> q_slice: array<vec4<f32>, SLICE_QUADS * ROWS>; // [quad, row]
var<workgroup> kv_slice: array<vec4<f32>, SLICE_QUADS * POSITIONS>; // keys [quad, position], values [position, quad]
var<workgroup> weights: array<vec4<f32>, ROWS * LANES>; // [row, position / 4]

// Which head of a token, counted through all tokens, row `row` is.
fn head_of(row: u32, kv_head: u32) -> u32 {
    return row / GROUP * params.heads + kv_head * GROUP + row % GROUP;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    let kv_head = workgroup.y;
    let first_row = workgroup.x * ROWS;
    let rows = step.count * GROUP;
    if first_row >= rows {
        return;
    }
    let last_row = min(first_row + ROWS, rows) - 1u;
    let lane = index % LANES;
    let band = index / LANES;
    // Which positions each of the four rows sees, and which the tile does: from begin on, before end.
    {% for r in range(4) %}
    let row_{{ r }} = first_row + 4u * band + {{ r }}u;
    let seen_{{ r }} = seen(min(row_{{ r }}, last_row) / GROUP);
    {% endfor %}
    let begin = seen(first_row / GROUP).x;
    let end = seen(last_row / GROUP).y;

    var highest = vec4<f32>(LOWEST);
    var total = vec4<f32>(0.0); // this lane's part of it
    {% if sinks %}
    {% for r in range(4) %}
    highest[{{ r }}] = sinks[kv_head * GROUP + row_{{ r }} % GROUP];
    {% endfor %}
    total = select(vec4<f32>(0.0), vec4<f32>(1.0), lane == 0u);
    {% endif %}
    {% for r in range(4) %}
    {% for c in range(columns) %}
    var value_{{ r }}_{{ c }} = vec4<f32>(0.0);
    {% endfor %}
    {% endfor %}

    for (var start = begin; start < end; start += POSITIONS) {
        // score_r.p: row r, position start + 4 lane + p
        {% for r in range(4) %}
        var score_{{ r }} = vec4<f32>(0.0);
        {% endfor %}
        for (var octet = 0u; octet < OCTETS; octet += SLICE_OCTETS) {
            let query = head_of(min(first_row + index / SLICE_QUADS, last_row), kv_head) * (HEAD_DIM / 2u);
            q_slice[index % SLICE_QUADS * ROWS + index / SLICE_QUADS] =
                query_quad(query, 2u * octet + index % SLICE_QUADS);
            // Positions past the end have no weight, but must be read as numbers. A lane's four positions lie LANES
            // apart, so that neighbours read neighbouring memory.
            let position = index / SLICE_OCTETS;
            let slot = position % 4u * LANES + position / 4u;
            let quad = index % SLICE_OCTETS * 2u;
            var key = Octet(vec4<f32>(0.0), vec4<f32>(0.0));
            if octet + index % SLICE_OCTETS < OCTETS {
                let row = min(start + position, end - 1u) * params.kv_heads + kv_head;
                key = k_octet(row, octet + index % SLICE_OCTETS);
            }
            kv_slice[quad * POSITIONS + slot] = key.low;
            kv_slice[(quad + 1u) * POSITIONS + slot] = key.high;
            workgroupBarrier();
            for (var i = 0u; i < SLICE_QUADS; i++) {
                {% for p in range(4) %}
                let key_{{ p }} = kv_slice[i * POSITIONS + {{ p }}u * LANES + lane];
                {% endfor %}
                {% for r in range(4) %}
                let query_{{ r }} = q_slice[i * ROWS + 4u * band + {{ r }}u];
                score_{{ r }} += vec4<f32>(
                    dot(query_{{ r }}, key_0), dot(query_{{ r }}, key_1),
                    dot(query_{{ r }}, key_2), dot(query_{{ r }}, key_3),
                );
                {% endfor %}
            }
            workgroupBarrier();
        }

        // The highest score of each row, by way of each lane's.
        let positions = start + 4u * lane + vec4<u32>(0u, 1u, 2u, 3u);
        {% for r in range(4) %}
        let is_seen_{{ r }} = (positions >= vec4<u32>(seen_{{ r }}.x)) & (positions < vec4<u32>(seen_{{ r }}.y));
        {% if soft_cap %}
        score_{{ r }} = vec4<f32>(
            capped(score_{{ r }}.x), capped(score_{{ r }}.y), capped(score_{{ r }}.z), capped(score_{{ r }}.w),
        );
        {% endif %}
        {% if alibi %}
        let distance_{{ r }} = abs(vec4<f32>(positions) - f32(step.position + row_{{ r }} / GROUP));
        score_{{ r }} -= slope(kv_head * GROUP + row_{{ r }} % GROUP) * distance_{{ r }};
        {% endif %}
        score_{{ r }} = select(vec4<f32>(LOWEST), score_{{ r }}, is_seen_{{ r }});
        let pairs_{{ r }} = max(score_{{ r }}.xy, score_{{ r }}.zw);
        {% endfor %}
        kv_slice[index] = max(
            vec4<f32>(pairs_0.x, pairs_1.x, pairs_2.x, pairs_3.x),
            vec4<f32>(pairs_0.y, pairs_1.y, pairs_2.y, pairs_3.y),
        );
        workgroupBarrier();
        var new_highest = highest;
        for (var i = 0u; i < LANES; i++) {
            new_highest = max(new_highest, kv_slice[LANES * band + i]);
        }
        let rescale = exp(highest - new_highest);
        highest = new_highest;
        total *= rescale;
        {% for r in range(4) %}
        let weight_{{ r }} = select(vec4<f32>(0.0), exp(score_{{ r }} - highest[{{ r }}]), is_seen_{{ r }});
        total[{{ r }}] += dot(weight_{{ r }}, vec4<f32>(1.0));
        weights[(4u * band + {{ r }}u) * LANES + lane] = weight_{{ r }};
        {% for c in range(columns) %}
        value_{{ r }}_{{ c }} *= rescale[{{ r }}];
        {% endfor %}
        {% endfor %}
        workgroupBarrier();

        let count = min(POSITIONS, end - start);
        for (var first = 0u; first < count; first += SLICE_POSITIONS) {
            let slice_count = min(SLICE_POSITIONS, POSITIONS - first);
            {% for part in range(parts) %}
            if index < SLICE_POSITIONS * PART_OCTETS {
                let position = min(start + first + index / PART_OCTETS, end - 1u);
                let octet = min({{ part }}u * PART_OCTETS + index % PART_OCTETS, VALUE_OCTETS - 1u);
                let value = v_octet(position * params.kv_heads + kv_head, octet);
                kv_slice[2u * index] = value.low;
                kv_slice[2u * index + 1u] = value.high;
            }
            workgroupBarrier();
            for (var i = 0u; i < slice_count; i += 4u) {
                {% for r in range(4) %}
                let weight_{{ r }} = weights[(4u * band + {{ r }}u) * LANES + (first + i) / 4u];
                {% endfor %}
                {% for c in range(part_columns) %}
                let quad_{{ c }} = min(lane + {{ c }}u * LANES, PART_QUADS - 1u);
                {% for p in range(4) %}
                let value_{{ p }}_of_{{ c }} = kv_slice[(i + {{ p }}u) * PART_QUADS + quad_{{ c }}];
                {% endfor %}
                {% for r in range(4) %}
                value_{{ r }}_{{ part * part_columns + c }} +=
                    weight_{{ r }}.x * value_0_of_{{ c }} + weight_{{ r }}.y * value_1_of_{{ c }} +
                    weight_{{ r }}.z * value_2_of_{{ c }} + weight_{{ r }}.w * value_3_of_{{ c }};
                {% endfor %}
                {% endfor %}
            }
            workgroupBarrier();
            {% endfor %}
        }
    }

    kv_slice[index] = total;
    workgroupBarrier();
    var sum = vec4<f32>(0.0);
    for (var i = 0u; i < LANES; i++) {
        sum += kv_slice[LANES * band + i];
    }
    {% for r in range(4) %}
    if row_{{ r }} <= last_row {
        {% for c in range(columns) %}
        {% set quad = "%du * PART_QUADS + lane + %du * LANES" % (c // part_columns, c % part_columns) %}
        store_quad(
            head_of(row_{{ r }}, kv_head) * (VALUE_DIM / 2u), {{ quad }}, value_{{ r }}_{{ c }} / sum[{{ r }}],
        );
        {% endfor %}
    }
    {% endfor %}
}
