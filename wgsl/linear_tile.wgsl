// Matrix times matrix with quantized weights, for the many tokens of a step:
//   out[t, first + n] = sum_k W[n, k] x[t, k] (* row_scale[first + n]) (+ bias[first + n]) (+ out[t, first + n])
//   weights: blocks of W [rows, columns]    x f32 [T, columns]    out f32 [T, width]    row_scale, bias f32 [width]
// A workgroup of row_lanes x token_lanes invocations makes a tile, each of them lane_rows x lane_tokens of it, in
// registers. It walks the columns some octets at a time, keeping those of its tokens and of its weight rows,
// dequantized, in workgroup memory. They need not be one run of columns: both of them take the same ones.
// With splits above 1 a workgroup has a share of the columns, and what it makes is put together by linear_sum.wgsl:
//   out f32 [splits, T, rows]
// With experts, W is a stripe of the matrices [rows, columns] of all experts, and what stands for a token is a slot of one:
// a tile is of slots that go to the same expert, as group_experts.wgsl has put them together (tiles, order); or each token
// has a slot for every expert ("heads": workgroup z), and x has other strides: element x_first + t x_stride + s x_width.
//   out[slot, first + n] = sum_k W[expert, n, k] x[slot / sharing, k] (* row_scale[expert]) (+ bias[expert, n])
//   out f32 [T slots, width]    row_scale f32 [experts]    bias f32 [experts, rows]
// Parameters: type, tail (columns is no multiple of 8), shared_tables, row_lanes, token_lanes, lane_rows, lane_tokens,
// octets (of a line at a time: 2 or 4), unrolled (row_lanes and token_lanes are multiples of 8), row_scale, bias,
// accumulate, splits (above 1 without these), experts ("chosen" by tiles, or "heads", or false; not with accumulate or
// splits).
{% set quads = 2 * octets %}
{% include "lib/tile.wgsl" %}
{% if experts != "chosen" %}
{% include "lib/step.wgsl" %}
{% endif %}
struct Params {
    columns: u32,
    row_bytes: u32,
    rows: u32,
    first: u32,
    width: u32,
    {% if experts == "chosen" %}
    sharing: u32, // slots that have a row of x in common
    {% endif %}
    {% if experts == "heads" %}
    slots: u32,
    x_first: u32,
    x_stride: u32, // of a token
    x_width: u32, // of a slot
    {% endif %}
    {% if experts %}
    skipped: u32, // rows before this stripe
    stripe_rows: u32, // rows of it
    {% endif %}
}

var<uniform> params: Params;
{% if experts == "chosen" %}
var<storage, read> tiles: array<Tile>;
{% else %}
var<uniform> step: Step;
{% endif %}
var<storage, read> x: array<{{ "f32" if tail else "vec4<f32>" }}>;
var<storage, read_write> out: array<f32>;
{% if experts == "chosen" %}
var<storage, read> order: array<u32>;
{% endif %}
{% if row_scale %}
var<storage, read> row_scale: array<f32>;
{% endif %}
{% if bias %}
var<storage, read> bias: array<f32>;
{% endif %}

{% include "lib/octets.wgsl" %}
{% include "lib/load_quad.wgsl" %}

const ROW_LANES: u32 = {{ row_lanes }}u;
const TOKEN_LANES: u32 = {{ token_lanes }}u;
const THREADS: u32 = ROW_LANES * TOKEN_LANES;
const ROWS: u32 = ROW_LANES * {{ lane_rows }}u;
const TOKENS: u32 = TOKEN_LANES * {{ lane_tokens }}u;
const STEP_OCTETS: u32 = {{ octets }}u;
const QUADS: u32 = {{ quads }}u; // of a line
const BANK_QUADS: u32 = 8u; // in all banks
{% if splits > 1 %}
const SPLITS: u32 = {{ splits }}u;
{% endif %}

var<workgroup> w_tile: array<vec4<f32>, ROWS * QUADS>;
var<workgroup> x_tile: array<vec4<f32>, TOKENS * QUADS>;

// Where quad `quad` of line `line` of a tile lies: neighbouring lines have theirs in different banks of memory, those
// that are a multiple of BANK_QUADS apart in the same ones.
fn slot(line: u32, quad: u32) -> u32 {
    return line * QUADS + (quad ^ (line * QUADS / BANK_QUADS % QUADS));
}

// What line `line` of the tile is: a token, or a slot of one.
fn token_of(tile: Tile, line: u32) -> u32 {
    {% if experts == "chosen" %}
    return order[tile.first + line];
    {% elif experts %}
    return (tile.first + line) * params.slots + tile.expert;
    {% else %}
    return tile.first + line;
    {% endif %}
}

// The row of the weights that makes row `n` of the results.
fn weight_row(tile: Tile, n: u32) -> u32 {
    return {{ "tile.expert * params.rows + n - params.skipped" if experts else "n" }};
}

// Whether there is that row, in this stripe of the weights.
fn has_row(tile: Tile, n: u32) -> bool {
    return n < params.rows{{ " && weight_row(tile, n) < params.stripe_rows" if experts }};
}

fn write_out(tile: Tile, {{ "split: u32, " if splits > 1 }}line: u32, n: u32, sum: f32) {
    if line < tile.count && has_row(tile, n) {
        {% if splits > 1 %}
        out[(split * step.count + tile.first + line) * params.rows + n] = sum;
        {% else %}
        let column = params.first + n;
        let element = token_of(tile, line) * params.width + column;
        {% if row_scale %}
        let scale = row_scale[{{ "tile.expert" if experts else "column" }}];
        {% endif %}
        {% if bias %}
        let shift = bias[{{ "tile.expert * params.rows + n" if experts else "column" }}];
        {% endif %}
        out[element] = sum{{ " * scale" if row_scale }}{{ " + shift" if bias }}{{ " + out[element]" if accumulate }};
        {% endif %}
    }
}

@compute @workgroup_size({{ row_lanes * token_lanes }})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    let first_row = group.x * ROWS;
    {% if experts == "chosen" %}
    let tile = tiles[group.y];
    {% else %}
    let first_token = group.y * TOKENS;
    let tile = Tile({{ "group.z" if experts else "0u" }}, first_token, min(step.count - min(step.count, first_token), TOKENS));
    {% endif %}
    if tile.count == 0u {
        return;
    }
    {% if experts %}
    let lowest = tile.expert * params.rows + first_row;
    if lowest >= params.skipped + params.stripe_rows || lowest + ROWS <= params.skipped {
        return;
    }
    {% endif %}
    let lane_row = index % ROW_LANES;
    let lane_token = index / ROW_LANES;
    {% if splits > 1 %}
    let share = (octets_of_row() + SPLITS * STEP_OCTETS - 1u) / (SPLITS * STEP_OCTETS) * STEP_OCTETS;
    let begin = group.z * share;
    let end = min(begin + share, octets_of_row());
    {% else %}
    let begin = 0u;
    let end = octets_of_row();
    {% endif %}
    // Each invocation brings some octets of weights and some quads of x at a time, always of the same lines.
    {% set w_turns = lane_rows * octets // token_lanes %}
    {% set x_turns = lane_tokens * quads // row_lanes %}
    let octet = index % STEP_OCTETS;
    {% for i in range(w_turns) %}
    let w_line_{{ i }} = index / STEP_OCTETS + {{ i }}u * (THREADS / STEP_OCTETS);
    let w_row_{{ i }} = weight_row(tile, select(0u, first_row + w_line_{{ i }}, has_row(tile, first_row + w_line_{{ i }})));
    var w_{{ i }}: Packed;
    {% endfor %}
    let quad_of_x = index % QUADS;
    {% for i in range(x_turns) %}
    let x_line_{{ i }} = index / QUADS + {{ i }}u * (THREADS / QUADS);
    let x_token_{{ i }} = min(x_line_{{ i }}, tile.count - 1u);
    {% if experts == "heads" %}
    let x_origin_{{ i }} = params.x_first + (tile.first + x_token_{{ i }}) * params.x_stride + tile.expert * params.x_width;
    {% else %}
    let x_origin_{{ i }} = token_of(tile, x_token_{{ i }}){{ " / params.sharing" if experts }} * params.columns;
    {% endif %}
    var x_{{ i }}: vec4<f32>;
    {% endfor %}
    {# Past the end the last ones are read again. #}
    {% macro load(start) %}
    {
        let k = min({{ start }} + octet, octets_of_row() - 1u);
        {% for i in range(w_turns) %}
        w_{{ i }} = load_packed(w_row_{{ i }}, k);
        {% endfor %}
        let column = octet_column(min({{ start }} + quad_of_x / 2u, octets_of_row() - 1u)) + quad_of_x % 2u * HIGH;
        {% for i in range(x_turns) %}
        x_{{ i }} = load_quad(x_origin_{{ i }}, column);
        {% endfor %}
    }
    {% endmacro %}
{{ load("begin") }}
    // sum_t_r: of token lane_token + TOKEN_LANES t and row lane_row + ROW_LANES r.
    {% for t in range(lane_tokens) %}
    {% for r in range(lane_rows) %}
    var sum_{{ t }}_{{ r }} = 0.0;
    {% endfor %}
    {% endfor %}

    for (var start = begin; start < end; start += STEP_OCTETS) {
        {% for i in range(w_turns) %}
        {
            let w = unpacked(w_{{ i }});
            w_tile[slot(w_line_{{ i }}, 2u * octet)] = w.low;
            w_tile[slot(w_line_{{ i }}, 2u * octet + 1u)] = w.high;
        }
        {% endfor %}
        {% for i in range(x_turns) %}
        x_tile[slot(x_line_{{ i }}, quad_of_x)] = select(vec4<f32>(0.0), x_{{ i }}, start + quad_of_x / 2u < end);
        {% endfor %}
        workgroupBarrier();
        // What comes next is on its way while this is worked on.
{{ load("start + STEP_OCTETS") | indent(4) }}
        {% macro multiply(quad) %}
        {
            {% if unrolled %}
            let w_slot = slot(lane_row, {{ quad }});
            let x_slot = slot(lane_token, {{ quad }});
            {% endif %}
            {% for r in range(lane_rows) %}
            {% set there = "w_slot + %du * QUADS" if unrolled else "slot(lane_row + %du, quad)" %}
            let w_{{ r }} = w_tile[{{ there % (r * row_lanes) }}];
            {% endfor %}
            {% for t in range(lane_tokens) %}
            {
                {% set there = "x_slot + %du * QUADS" if unrolled else "slot(lane_token + %du, quad)" %}
                let x = x_tile[{{ there % (t * token_lanes) }}];
                {% for k in range(4) %}
                {% for r in range(lane_rows) %}
                sum_{{ t }}_{{ r }} = fma(x[{{ k }}], w_{{ r }}[{{ k }}], sum_{{ t }}_{{ r }});
                {% endfor %}
                {% endfor %}
            }
            {% endfor %}
        }
        {% endmacro %}
        {% if unrolled %}
        {% for quad in range(quads) %}
{{ multiply("%du" % quad) }}
        {% endfor %}
        {% else %}
        for (var quad = 0u; quad < QUADS; quad++) {
{{ multiply("quad") | indent(4) }}
        }
        {% endif %}
        workgroupBarrier();
    }

    {% for t in range(lane_tokens) %}
    {% for r in range(lane_rows) %}
    write_out(
        tile, {{ "group.z, " if splits > 1 }}lane_token + {{ t }}u * TOKEN_LANES, first_row + lane_row + {{ r }}u * ROW_LANES,
        sum_{{ t }}_{{ r }},
    );
    {% endfor %}
    {% endfor %}
}
