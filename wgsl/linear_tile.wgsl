// Matrix times matrix with quantized weights, for the many tokens of a step:
//   out[t, first + n] = sum_k W[n, k] x[t, k] (+ bias[first + n]) (+ out[t, first + n])
//   weights: blocks of W [rows, columns]    x f32 [T, columns]    out f32 [T, width]    bias f32 [width]
// A workgroup of 16 x token_threads makes a tile of 64 rows x TOKENS tokens, each invocation 4 x 4 of it. It walks the
// columns four octets (32 elements) at a time, keeping those of its tokens and of its weight rows, dequantized, in
// workgroup memory (at most 16 KiB). The four octets need not be one run of columns: both sides take the same ones.
// Parameters: type, tail (columns is no multiple of 8), shared_tables, token_threads (TOKENS = 4 token_threads, at most
// 64), bias, accumulate.
{% include "lib/step.wgsl" %}
struct Params {
    columns: u32,
    row_bytes: u32,
    rows: u32,
    first: u32,
    width: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: Step;
@group(0) @binding(3) var<storage, read> x: array<{{ "f32" if tail else "vec4<f32>" }}>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
{% if bias %}
@group(0) @binding(5) var<storage, read> bias: array<f32>;
{% endif %}

{% set weights_binding = 2 %}
{% set grid_binding = 6 if bias else 5 %}
{% include "lib/octets.wgsl" %}
{% include "lib/load_quad.wgsl" %}

const ROW_THREADS: u32 = 16u;
const TOKEN_THREADS: u32 = {{ token_threads }}u;
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

fn write_out(token: u32, row: u32, sum: f32) {
    if token < step.count && row < params.rows {
        let column = params.first + row;
        let at = token * params.width + column;
        out[at] = sum{{ " + bias[column]" if bias }}{{ " + out[at]" if accumulate }};
    }
}

@compute @workgroup_size({{ 16 * token_threads }})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    let first_token = group.y * TOKENS;
    if first_token >= step.count {
        return;
    }
    let first_row = group.x * ROWS;
    let thread_row = index % ROW_THREADS;
    let thread_token = index / ROW_THREADS;
    let octet_count = octets_of_row();
    // sums_t.r: token thread_token + TOKEN_THREADS t, row thread_row + ROW_THREADS r
    {% for t in range(4) %}
    var sums_{{ t }} = vec4<f32>(0.0);
    {% endfor %}

    for (var start = 0u; start < octet_count; start += STEP_OCTETS) {
        for (var i = index; i < ROWS * STEP_OCTETS; i += THREADS) {
            let line = i / STEP_OCTETS;
            let octet = i % STEP_OCTETS;
            let at = start + octet;
            var w = Octet(vec4<f32>(0.0), vec4<f32>(0.0));
            if at < octet_count && first_row + line < params.rows {
                w = load_octet(first_row + line, at);
            }
            w_tile[slot(line, 2u * octet)] = w.low;
            w_tile[slot(line, 2u * octet + 1u)] = w.high;
        }
        for (var i = index; i < TOKENS * STEP_OCTETS; i += THREADS) {
            let line = i / STEP_OCTETS;
            let octet = i % STEP_OCTETS;
            let at = start + octet;
            var low = vec4<f32>(0.0);
            var high = vec4<f32>(0.0);
            if at < octet_count && first_token + line < step.count {
                let column = octet_column(at);
                low = load_quad(first_token + line, column);
                high = load_quad(first_token + line, column + HIGH);
            }
            x_tile[slot(line, 2u * octet)] = low;
            x_tile[slot(line, 2u * octet + 1u)] = high;
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

    let token = first_token + thread_token;
    let row = first_row + thread_row;
    {% for t in range(4) %}
    {% for r in range(4) %}
    write_out(token + {{ t }}u * TOKEN_THREADS, row + {{ r }}u * ROW_THREADS, sums_{{ t }}[{{ r }}]);
    {% endfor %}
    {% endfor %}
}
