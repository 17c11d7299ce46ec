// Matrix times vector with quantized weights:
//   out[first + n] = sum_k W[n, k] x[k] (* row_scale[first + n]) (+ bias[first + n]) (+ out[first + n])
//   weights: blocks of W [rows, columns]    x f32 [columns]    out f32 [.., first + rows, ..]
//   row_scale, bias f32, as out
// `lanes` invocations share `lane_rows` rows, each taking every `lanes`-th span of octets of them: the scales of a span
// are read once, and x serves all rows of a workgroup from its memory, a stage of columns at a time (at most 8.3 KiB).
// With x_bytes, x is rounded there to whole numbers of one byte or two, each span by the largest magnitude in it, and
// products are those of bytes (packed_4x8_integer_dot_product; one: llama.cpp's Q8_1). What usually comes before and
// after is part of it on demand: with sum, x is first scaled to a root mean square of 1, multiplied by sum_weight and
// added to what it is a part of, by each workgroup for itself; one of them writes that to summed:
//   summed = x = sum_factor (* times[0]) (onto + norm(x) sum_weight)    onto, sum_weight, summed f32 [columns]
// with norm, x is first scaled to a root mean square of 1 and multiplied by norm_weight
// (f32 [columns]), by each workgroup for itself; with splits, x is what the partials of attention make together
// (lib/attention_partials.wgsl); with function, W has 2 rows rows, and what is written is function(row n) * row n + rows,
// or, apart, W has rows rows, and it is function(row n) * values[values_first + first + n] (values f32);
// with activated, it is that function of each result;
// with pairing, the rows are queries, keys and values, which are rotated and appended to the cache instead of being
// written to `out`: see rope_append.wgsl. With experts, W is a stripe of the matrices [rows, columns] of all experts, and
// each of the step's tokens has `slots` results, of the experts ids, or in turn of all of them ("heads"):
//   out[t, s, first + n] = sum_k W[ids[t, s], n, k] x[t (, s), k] (* row_scale[ids[t, s]]) (+ bias[ids[t, s], n])
//   ids u32 [T, slots]    x f32 [T (, slots), columns]    out f32 [T, slots, width]
//   row_scale f32 [experts]    bias f32 [experts, rows]
// Parameters: columns, type, tail (columns is no multiple of 8), shared_tables, x_bytes (0; 1 or 2 for types whose bytes
// are values), lanes, lane_rows, quads (of x that an invocation brings to a stage), workgroup_size (a multiple of lanes and
// of 64), subgroups (lanes fit a subgroup), row_scale, bias, accumulate, sum (only where a stage holds all columns; not
// with tail, splits or experts; times), norm (not with tail), splits (0: x is no partials; not with tail, norm or
// experts, and only where a stage holds all columns; head_dim), function (of lib/gate.wgsl, or false; not with bias;
// apart), pairing (of lib/rotate.wgsl, or false; not with accumulate or function; lane_rows is then 2 for "norm" and 4
// for "neox"; head_dim, latent, rotary_dim, bits), activated (of lib/activations.wgsl, or false; not with accumulate,
// function or pairing), experts ("chosen" by ids, or "heads", or false; workgroup z is a
// slot; not with accumulate, norm, function or pairing).
struct Params {
    columns: u32,
    row_bytes: u32,
    rows: u32,
    first: u32,
    {% if norm %}
    eps: f32,
    {% endif %}
    {% if sum %}
    sum_eps: f32,
    sum_factor: f32,
    {% endif %}
    {% if apart %}
    values_first: u32,
    {% endif %}
    {% if pairing %}
    heads: u32,
    kv_heads: u32,
    {% endif %}
    {% if experts %}
    slots: u32,
    {% if experts == "chosen" %}
    sharing: u32, // slots that have a row of x in common
    {% else %}
    x_first: u32,
    x_width: u32, // of a slot
    {% endif %}
    skipped: u32, // rows before this stripe
    stripe_rows: u32, // rows of it
    width: u32,
    {% endif %}
}

var<uniform> params: Params;
var<storage, read> x: array<{{ "f32" if tail else "vec4<f32>" }}>;
{% if pairing %}
{% include "lib/step.wgsl" %}
var<uniform> step: Step;
var<storage, read> rotations: array<vec2<f32>>;
{% include "lib/append.wgsl" %}
{% include "lib/rotate.wgsl" %}
{% else %}
var<storage, read_write> out: array<f32>;
{% endif %}
{% if experts %}
{% include "lib/step.wgsl" %}
var<uniform> step: Step;
{% endif %}
{% if experts == "chosen" %}
var<storage, read> ids: array<u32>;
{% endif %}
{% if row_scale %}
var<storage, read> row_scale: array<f32>;
{% endif %}
{% if bias %}
var<storage, read> bias: array<f32>;
{% endif %}
{% if norm %}
var<storage, read> norm_weight: array<vec4<f32>>;
{% endif %}
{% if sum %}
var<storage, read> onto: array<vec4<f32>>;
var<storage, read> sum_weight: array<vec4<f32>>;
{% if times %}
var<storage, read> times: array<f32>;
{% endif %}
var<storage, read_write> summed: array<vec4<f32>>;
{% endif %}
{% if apart %}
var<storage, read> values: array<f32>;
{% endif %}

{% import "quant/" ~ type ~ ".wgsl" as quant with context %}
{% include "lib/octets.wgsl" %}
{% if splits %}
{% set partials, merged_word = "x", "vec4<f32>" %}
{% include "lib/attention_partials.wgsl" %}

// Four elements of x from column `column` on.
fn load_quad(origin: u32, column: u32) -> vec4<f32> {
    let width = params.columns / 4u;
    return merged(column / 4u, width, {{ splits }}u * width + column / {{ head_dim }}u * {{ splits // 2 }}u);
}
{% else %}
{% include "lib/load_quad.wgsl" %}
{% endif %}
{% include "lib/workgroup_index.wgsl" %}
{% if x_bytes %}
{% include "lib/rounded.wgsl" %}
{% endif %}
{% if function %}
{% include "lib/gate.wgsl" %}
{% elif activated %}
{% with function = activated %}
{% include "lib/activations.wgsl" %}
{% endwith %}
{% endif %}

{% set stage = 4 * quads * workgroup_size %}
{# Rows that fit one stage, and stages of which each lane has one span, need no loops. #}
{% set stages = columns > stage %}
{% set turns = columns > [8 * quant.span * lanes, stage] | min %}
const LANES: u32 = {{ lanes }}u;
const GROUPS: u32 = {{ workgroup_size // lanes }}u; // of lanes
const LANE_ROWS: u32 = {{ lane_rows }}u;
const STAGE: u32 = {{ stage }}u; // columns: a multiple of every block
const STAGE_SPANS: u32 = STAGE / (8u * SPAN);
const SPANS: u32 = OCTETS / SPAN; // of a block

// A row, or the two rows that make one number.
{% set paired = function and not apart %}
{% set all_rows = range(2 * lane_rows if paired else lane_rows) %}
// Quad p (of the 2 SPAN) of each span, span after span; the lines start in different memory banks.
const LINE: u32 = STAGE_SPANS + 1u;
{% set word = ["vec4<f32>", "u32", "vec2<u32>"][x_bytes] %}
var<workgroup> x_stage: array<{{ word }}, 2u * SPAN * LINE>;
{% if x_bytes %}
var<workgroup> peaks: array<f32, STAGE / 4u>; // the largest magnitude of each quad
var<workgroup> x_scales: array<f32, STAGE_SPANS>;
{% endif %}
{% if norm or sum %}
var<workgroup> squares_of: array<f32, GROUPS>; // the sum of what each group of lanes brought so far
{% endif %}
{% if not subgroups %}
var<workgroup> partial: array<f32, {{ workgroup_size }}>;
{% endif %}

// The column of quad `i` of the stage that starts with span `start`, or of the row's last octet where it has ended.
fn stage_column(start: u32, i: u32) -> u32 {
    let octet = min(start * SPAN + i / 2u, octets_of_row() - 1u);
    return octet_column(octet) + (i % 2u) * HIGH;
}

// Row `r` of those that group `group` of lanes has.
fn row_of(group: u32, r: u32) -> u32 {
    {% if pairing == "neox" %}
    // Two neighbours and their partners, as long as there are partners.
    let element = 4u * (group % (HEAD_DIM / 4u));
    let head = 4u * group - element;
    if element < 2u * ROTARY_PAIRS {
        return head + element / 2u + r % 2u + r / 2u * ROTARY_PAIRS;
    }
    {% endif %}
    return group * LANE_ROWS + r;
}

// The sum of `value` over the lanes that share a row.
fn lanes_sum(value: f32, index: u32) -> f32 {
    {% if subgroups %}
    var sum = value;
    for (var stride = LANES / 2u; stride > 0u; stride >>= 1u) {
        sum += subgroupShuffleXor(sum, stride);
    }
    return sum;
    {% else %}
    partial[index] = value;
    workgroupBarrier();
    for (var stride = LANES / 2u; stride > 0u; stride >>= 1u) {
        if index % LANES < stride {
            partial[index] += partial[index + stride];
        }
        workgroupBarrier();
    }
    let sum = partial[index - index % LANES];
    workgroupBarrier();
    return sum;
    {% endif %}
}

@compute @workgroup_size({{ workgroup_size }})
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    {% if experts %}
    if group.z >= step.count * params.slots {
        return;
    }
    let expert_row = {{ "ids[group.z]" if experts == "chosen" else "group.z % params.slots" }} * params.rows;
    {% set chosen_origin = "group.z / params.sharing * params.columns" %}
    let x_origin = {{ chosen_origin if experts == "chosen" else "params.x_first + group.z * params.x_width" }};
    {% else %}
    let x_origin = 0u;
    {% endif %}
    {% if quant.table %}
    prepare_table(index);
    {% endif %}
    let lane = index % LANES;
    let rows = workgroup_index(group, groups) * GROUPS + index / LANES;
    {% for r in range(lane_rows) %}
    let n_{{ r }} = min(row_of(rows, {{ r }}u), params.rows - 1u);
    {% if experts %}
    let row_{{ r }} = min(expert_row + n_{{ r }} - params.skipped, params.stripe_rows - 1u);
    {% else %}
    let row_{{ r }} = n_{{ r }};
    {% endif %}
    {% if paired %}
    let row_{{ r + lane_rows }} = row_{{ r }} + params.rows;
    {% endif %}
    {% endfor %}
    // What the results are put together with is read now, so that nothing waits for it in the end.
    {% if pairing and rotary_dim %}
    let angle = step.position * ROTARY_PAIRS;
    let element_of_head = (params.first + n_0) % HEAD_DIM;
    {% for r in range(lane_rows // 2) %}
    let pair_of_head_{{ r }} = {{ "element_of_head / 2u" if pairing == "norm" else "element_of_head + %du" % r }};
    let rotation_{{ r }} = rotations[angle + min(pair_of_head_{{ r }}, ROTARY_PAIRS - 1u)];
    {% endfor %}
    {% endif %}
    {% for r in range(lane_rows) %}
    {% if not pairing %}
    let at_{{ r }} = {{ "group.z * params.width + " if experts }}params.first + n_{{ r }};
    {% endif %}
    {% if bias %}
    let bias_{{ r }} = bias[{{ "expert_row" if experts else "params.first" }} + n_{{ r }}];
    {% endif %}
    {% if accumulate %}
    let before_{{ r }} = out[at_{{ r }}];
    {% endif %}
    {% if apart %}
    let value_{{ r }} = values[params.values_first + at_{{ r }}];
    {% endif %}
    {% endfor %}
    {% for r in all_rows %}
    {% if row_scale %}
    let row_scale_{{ r }} = row_scale[{{ "ids[group.z]" if experts else "params.first + row_%d" % r }}];
    {% endif %}
    var sum_{{ r }} = {{ "0.0" if x_bytes else "vec4<f32>(0.0)" }};
    {% endfor %}
    {% if norm %}
    var squares = 0.0;
    {% endif %}
    let spans = octets_of_row() / SPAN;
    {% for q in range(quads) %}
    var x_{{ q }} = load_quad(x_origin, stage_column(0u, index + {{ q * workgroup_size }}u));
    {% if norm %}
    var norm_{{ q }} = norm_weight[stage_column(0u, index + {{ q * workgroup_size }}u) / 4u];
    {% endif %}
    {% if sum %}
    let onto_{{ q }} = onto[stage_column(0u, index + {{ q * workgroup_size }}u) / 4u];
    let sum_weight_{{ q }} = sum_weight[stage_column(0u, index + {{ q * workgroup_size }}u) / 4u];
    {% endif %}
    {% endfor %}
    {% if times %}
    let sum_factor = params.sum_factor * times[0];
    {% elif sum %}
    let sum_factor = params.sum_factor;
    {% endif %}
    // A lane's first weights are on their way while x is made ready for all.
    {% set octet_type = "vec2<u32>" if quant.bytes else "Octet" %}
    {% for r in all_rows %}
    {% for j in range(quant.span) %}
    var w_{{ r }}_{{ j }}: {{ octet_type }};
    {% endfor %}
    {% if quant.span > 1 %}
    var scales_{{ r }}: vec4<f32>;
    {% endif %}
    {% endfor %}
    {% macro load_span(n) %}
    {
        let span = {{ n }};
        {% for r in all_rows %}
        {% if tail %}
        w_{{ r }}_0 = load_octet(row_{{ r }}, span);
        {% else %}
        let block_{{ r }} = row_{{ r }} * params.row_bytes + span / SPANS * BLOCK_BYTES;
        {% for j in range(quant.span) %}
        w_{{ r }}_{{ j }} = {{ "load_bytes" if quant.bytes else "load_values" }}(block_{{ r }}, span % SPANS, {{ j }}u);
        {% endfor %}
        {% if quant.span > 1 %}
        scales_{{ r }} = load_scales(block_{{ r }}, span % SPANS);
        {% endif %}
        {% endif %}
        {% endfor %}
    }
    {% endmacro %}
{{ load_span("min(lane, spans - 1u)") }}
    {% if sum %}
    var squares_before = 0.0;
    {% for q in range(quads) %}
    squares_before += select(0.0, dot(x_{{ q }}, x_{{ q }}), (index + {{ q * workgroup_size }}u) / 2u < octets_of_row());
    {% endfor %}
    let squares_of_lanes = lanes_sum(squares_before, index);
    if lane == 0u {
        squares_of[index / LANES] = squares_of_lanes;
    }
    workgroupBarrier();
    var squares_of_all = 0.0;
    for (var i = 0u; i < GROUPS; i++) {
        squares_of_all += squares_of[i];
    }
    let sum_scale = inverseSqrt(squares_of_all / f32(params.columns) + params.sum_eps);
    {% for q in range(quads) %}
    x_{{ q }} = sum_factor * (onto_{{ q }} + sum_scale * x_{{ q }} * sum_weight_{{ q }});
    if workgroup_index(group, groups) == 0u && (index + {{ q * workgroup_size }}u) / 2u < octets_of_row() {
        summed[stage_column(0u, index + {{ q * workgroup_size }}u) / 4u] = x_{{ q }};
    }
    {% endfor %}
    {% if norm %}
    workgroupBarrier();
    {% endif %}
    {% endif %}
    {% if stages %}
    for (var start = 0u; start < spans; start += STAGE_SPANS) {
    {% else %}
    {
        let start = 0u;
    {% endif %}
        {% for q in range(quads) %}
        {
            let i = index + {{ q * workgroup_size }}u;
            {% if norm %}
            if start * SPAN + i / 2u < octets_of_row() {
                squares += dot(x_{{ q }}, x_{{ q }});
            }
            x_{{ q }} *= norm_{{ q }};
            {% endif %}
            {% if x_bytes %}
            let magnitudes = abs(x_{{ q }});
            peaks[i] = max(max(magnitudes.x, magnitudes.y), max(magnitudes.z, magnitudes.w));
            {% else %}
            x_stage[i % (2u * SPAN) * LINE + i / (2u * SPAN)] = x_{{ q }};
            {% endif %}
        }
        {% endfor %}
        {% if norm %}
        let squares_of_group = lanes_sum(squares, index);
        if lane == 0u {
            squares_of[index / LANES] = squares_of_group;
        }
        {% endif %}
        workgroupBarrier();
        {% if x_bytes %}
        {% for q in range(quads) %}
        {
            let i = index + {{ q * workgroup_size }}u;
            let span = i / (2u * SPAN);
            var peak = 0.0;
            {% for p in range(2 * quant.span) %}
            peak = max(peak, peaks[2u * SPAN * span + {{ p }}u]);
            {% endfor %}
            let factor = factor_of(peak);
            x_stage[i % (2u * SPAN) * LINE + span] = packed_numbers(vec4<i32>(round(factor * x_{{ q }})));
            if i % (2u * SPAN) == 0u {
                x_scales[span] = peak / LARGEST;
            }
        }
        {% endfor %}
        workgroupBarrier();
        {% endif %}
        {% if stages %}
        // What the next stage needs is on its way while this one is worked on.
        {% for q in range(quads) %}
        x_{{ q }} = load_quad(x_origin, stage_column(start + STAGE_SPANS, index + {{ q * workgroup_size }}u));
        {% if norm %}
        norm_{{ q }} = norm_weight[stage_column(start + STAGE_SPANS, index + {{ q * workgroup_size }}u) / 4u];
        {% endif %}
        {% endfor %}
        {% endif %}
        let here = min(spans - start, STAGE_SPANS);
        {% if turns %}
        for (var s = lane; s < here; s += LANES) {
            if start + s != lane {
{{ load_span("start + s") | indent(8) }}
            }
        {% else %}
        let s = lane;
        if s < here {
        {% endif %}
            {% set zero = ["vec4<f32>(0.0)", "0i", "vec2<i32>(0)"][x_bytes] %}
            {% for r in all_rows %}
            var low_{{ r }} = {{ zero }};
            var high_{{ r }} = {{ zero }};
            {% endfor %}
            {% if quant.summands %}
            var x_low = {{ zero }};
            var x_high = {{ zero }};
            {% endif %}
            {% for j in range(quant.span) %}
            {
                let low = x_stage[{{ 2 * j }}u * LINE + s];
                let high = x_stage[{{ 2 * j + 1 }}u * LINE + s];
                {% if quant.summands %}
                x_low += {{ "products_of(ONES, low)" if x_bytes else "low" }};
                x_high += {{ "products_of(ONES, high)" if x_bytes else "high" }};
                {% endif %}
                {% for r in all_rows %}
                {% if x_bytes %}
                low_{{ r }} += products_of(w_{{ r }}_{{ j }}.x, low);
                high_{{ r }} += products_of(w_{{ r }}_{{ j }}.y, high);
                {% else %}
                let w_{{ r }} = {{ "values_of(w_%d_%d)" % (r, j) if quant.bytes else "w_%d_%d" % (r, j) }};
                low_{{ r }} += w_{{ r }}.low * low;
                high_{{ r }} += w_{{ r }}.high * high;
                {% endif %}
                {% endfor %}
            }
            {% endfor %}
            {% for r in all_rows %}
            {% if quant.span == 1 %}
            sum_{{ r }} += low_{{ r }} + high_{{ r }};
            {% else %}
            {% set number = "number_of" if x_bytes else "" %}
            var part_{{ r }} = scales_{{ r }}.x * {{ number }}(low_{{ r }}) + scales_{{ r }}.z * {{ number }}(high_{{ r }});
            {% if quant.summands %}
            part_{{ r }} += scales_{{ r }}.y * {{ number }}(x_low) + scales_{{ r }}.w * {{ number }}(x_high);
            {% endif %}
            sum_{{ r }} += {{ "x_scales[s] * " if x_bytes }}part_{{ r }};
            {% endif %}
            {% endfor %}
        }
        {% if stages %}
        workgroupBarrier();
        {% endif %}
    }
    {% if norm %}
    var all_squares = 0.0;
    for (var i = 0u; i < GROUPS; i++) {
        all_squares += squares_of[i];
    }
    let scale = inverseSqrt(all_squares / f32(params.columns) + params.eps);
    {% endif %}
    {% for r in all_rows %}
    {% set sum = "sum_%d" % r if x_bytes else "dot(sum_%d, vec4<f32>(1.0))" % r %}
    let total_{{ r }} = lanes_sum({{ sum }}{{ " * scale" if norm }}, index){{ " * row_scale_%d" % r if row_scale }};
    {% endfor %}
    {% if pairing %}
    // There are whole heads, so all rows of a group or none.
    if lane == 0u && row_of(rows, 0u) < params.rows {
        {% for r in range(0, lane_rows, 2) %}
        var pair_{{ r }} = vec2<f32>(total_{{ r }}, total_{{ r + 1 }});
        {% if bias %}
        pair_{{ r }} += vec2<f32>(bias_{{ r }}, bias_{{ r + 1 }});
        {% endif %}
        {% endfor %}
        {% if rotary_dim %}
        if is_rotated(params.first + n_0) && element_of_head < 2u * ROTARY_PAIRS {
            {% if pairing == "norm" %}
            pair_0 = rotate(pair_0, rotation_0);
            {% else %}
            let first = rotate(vec2<f32>(pair_0.x, pair_2.x), rotation_0);
            let second = rotate(vec2<f32>(pair_0.y, pair_2.y), rotation_1);
            pair_0 = vec2<f32>(first.x, second.x);
            pair_2 = vec2<f32>(first.y, second.y);
            {% endif %}
        }
        {% endif %}
        {% for r in range(0, lane_rows, 2) %}
        append(0u, step.position, params.first + n_{{ r }}, pair_{{ r }});
        {% endfor %}
    }
    {% else %}
    {% for r in range(lane_rows) %}
    {% set in_stripe = " && expert_row + n_%d - params.skipped < params.stripe_rows" % r if experts else "" %}
    if lane == {{ r % lanes }}u && row_of(rows, {{ r }}u) < params.rows{{ in_stripe }} {
        {% if apart %}
        let result = gate(total_{{ r }}, value_{{ r }});
        {% elif function %}
        let result = gate(total_{{ r }}, total_{{ r + lane_rows }});
        {% else %}
        {% set sum = "total_%d%s" % (r, " + bias_%d" % r if bias else "") %}
        let result = {{ "activation(%s, 0.0, 0.0)" % sum if activated else sum }};
        {% endif %}
        out[at_{{ r }}] = result{{ " + before_%d" % r if accumulate }};
    }
    {% endfor %}
    {% endif %}
}
