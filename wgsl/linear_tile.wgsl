// Matrix times matrix with quantized weights, for the many tokens of a step:
//   out[t, first + n] = sum_k W[n, k] x[t, k] (* row_scale[first + n]) (+ bias[first + n]) (+ out[t, first + n])
//   weights: blocks of W [rows, columns]    x f32 [T, columns]    out f32 [T, width]    row_scale, bias f32 [width]
// A workgroup makes a tile of tile_rows rows x tile_tokens tokens, each invocation 4 x 4 of it. It walks the columns
// four octets (32 elements) at a time, keeping those of its tokens and of its weight rows, dequantized, in workgroup
// memory (at most 16 KiB). The four octets need not be one run of columns: both sides take the same ones.
// With experts, W is a stripe of the matrices [rows, columns] of all experts, and what stands for a token is a slot of one:
// a tile is of slots that go to the same expert, as group_experts.wgsl has put them together (tiles, order); or each token
// has a slot for every expert ("heads": workgroup z), and x has other strides: element x_first + t x_stride + s x_width.
//   out[slot, first + n] = sum_k W[expert, n, k] x[slot / sharing, k] (* row_scale[expert]) (+ bias[expert, n])
//   out f32 [T slots, width]    row_scale f32 [experts]    bias f32 [experts, rows]
// Parameters: type, tail (columns is no multiple of 8), shared_tables, tile_rows (64), tile_tokens (16, 32 or 64),
// row_scale, bias, accumulate, experts ("chosen" by tiles, or "heads", or false; not with accumulate).
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

const ROW_THREADS: u32 = {{ tile_rows // 4 }}u;
const TOKEN_THREADS: u32 = {{ tile_tokens // 4 }}u;
const THREADS: u32 = ROW_THREADS * TOKEN_THREADS;
const ROWS: u32 = 4u * ROW_THREADS;
const TOKENS: u32 = 4u * TOKEN_THREADS;
const STEP_OCTETS: u32 = 4u;
const QUADS: u32 = 2u * STEP_OCTETS;

var<workgroup> w_tile: array<vec4<f32>, ROWS * QUADS>;
var<workgroup> x_tile: array<vec4<f32>, TOKENS * QUADS>;

// Where quad `quad` of line `line` of a tile lies: neighbouring lines start in different memory banks.
fn slot(line: u32, quad: u32) -> u32 {
    return line * QUADS + (quad ^ (line % QUADS));
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

fn write_out(tile: Tile, line: u32, n: u32, sum: f32) {
    if line < tile.count && has_row(tile, n) {
        let column = params.first + n;
        let element = token_of(tile, line) * params.width + column;
        {% if row_scale %}
        let scale = row_scale[{{ "tile.expert" if experts else "column" }}];
        {% endif %}
        {% if bias %}
        let shift = bias[{{ "tile.expert * params.rows + n" if experts else "column" }}];
        {% endif %}
        out[element] = sum{{ " * scale" if row_scale }}{{ " + shift" if bias }}{{ " + out[element]" if accumulate }};
    }
}

@compute @workgroup_size({{ tile_rows // 4 * (tile_tokens // 4) }})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    let first_row = group.x * ROWS;
    {% if experts == "chosen" %}
    let tile = tiles[group.y];
    {% else %}
    let first_token = group.y * TOKENS;
    let tile = Tile(group.z, first_token, min(step.count - min(step.count, first_token), TOKENS));
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
    let thread_row = index % ROW_THREADS;
    let thread_token = index / ROW_THREADS;
    let octet_count = octets_of_row();
    // Each invocation brings one octet of x at a time, always of the same line.
    let x_line = index / STEP_OCTETS;
    let x_token = min(x_line, tile.count - 1u);
    {% if experts == "heads" %}
    let x_origin = params.x_first + (tile.first + x_token) * params.x_stride + tile.expert * params.x_width;
    {% else %}
    let x_origin = token_of(tile, x_token){{ " / params.sharing" if experts }} * params.columns;
    {% endif %}
    // sums_t.r: token thread_token + TOKEN_THREADS t, row thread_row + ROW_THREADS r
    {% for t in range(4) %}
    var sums_{{ t }} = vec4<f32>(0.0);
    {% endfor %}

    for (var start = 0u; start < octet_count; start += STEP_OCTETS) {
        for (var i = index; i < ROWS * STEP_OCTETS; i += THREADS) {
            let line = i / STEP_OCTETS;
            let octet = i % STEP_OCTETS;
            let k = start + octet;
            var w = Octet(vec4<f32>(0.0), vec4<f32>(0.0));
            if k < octet_count && has_row(tile, first_row + line) {
                w = load_octet(weight_row(tile, first_row + line), k);
            }
            w_tile[slot(line, 2u * octet)] = w.low;
            w_tile[slot(line, 2u * octet + 1u)] = w.high;
        }
        {
            let octet = index % STEP_OCTETS;
            let k = start + octet;
            var low = vec4<f32>(0.0);
            var high = vec4<f32>(0.0);
            if k < octet_count && x_line < tile.count {
                let column = octet_column(k);
                low = load_quad(x_origin, column);
                high = load_quad(x_origin, column + HIGH);
            }
            x_tile[slot(x_line, 2u * octet)] = low;
            x_tile[slot(x_line, 2u * octet + 1u)] = high;
        }
        workgroupBarrier();

        for (var quad = 0u; quad < QUADS; quad++) {
            {% for r in range(4) %}
            let w_{{ r }} = w_tile[slot(thread_row + {{ r }}u * ROW_THREADS, quad)];
            {% endfor %}
            {% for t in range(4) %}
            let x_{{ t }} = x_tile[slot(thread_token + {{ t }}u * TOKEN_THREADS, quad)];
            {% for k in range(4) %}
            sums_{{ t }} += x_{{ t }}[{{ k }}] * vec4<f32>(w_0[{{ k }}], w_1[{{ k }}], w_2[{{ k }}], w_3[{{ k }}]);
            {% endfor %}
            {% endfor %}
        }
        workgroupBarrier();
    }

    {% for t in range(4) %}
    {% for r in range(4) %}
    write_out(
        tile, thread_token + {{ t }}u * TOKEN_THREADS, first_row + thread_row + {{ r }}u * ROW_THREADS,
        sums_{{ t }}[{{ r }}],
    );
    {% endfor %}
    {% endfor %}
}
