// Matrix times matrix with quantized weights, for the many tokens of a step:
//   out[t, first + n] = sum_k W[n, k] x[t, k] (+ bias[first + n]) (+ out[t, first + n])
//   weights: blocks of W [rows, columns]    x f32 [T, columns]    out f32 [T, width]    bias f32 [width]
// A workgroup of 16 x 16 makes a tile of TOKENS x 64. It walks the columns four octets (32 elements) at a time, keeping
// those of its tokens and of its weight rows, dequantized, in workgroup memory (at most 16 KiB); each invocation holds
// `per_thread` x 4 sums. The four octets need not be one run of columns: both sides take the same ones.
// Parameters: type, per_thread (tokens an invocation: TOKENS = 16 per_thread, at most 64), bias, accumulate.
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
@group(0) @binding(2) var<storage, read> weights: array<u32>;
@group(0) @binding(3) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
{% if bias %}
@group(0) @binding(5) var<storage, read> bias: array<f32>;
{% endif %}

{% include "quant/" ~ type ~ ".wgsl" %}

const OCTETS: u32 = BLOCK_ELEMENTS / 8u;
const SIDE: u32 = 16u;
const PER_THREAD: u32 = {{ per_thread }}u;
const TOKENS: u32 = SIDE * PER_THREAD;
const ROWS_PER_THREAD: u32 = 4u;
const ROWS: u32 = SIDE * ROWS_PER_THREAD;
const STEP_OCTETS: u32 = 4u;
const QUADS: u32 = 2u * STEP_OCTETS;

var<workgroup> x_tile: array<vec4<f32>, TOKENS * QUADS>;
var<workgroup> w_tile: array<vec4<f32>, ROWS * QUADS>;

// Where quad `quad` of line `line` of a tile lies: neighbouring lines start in different memory banks.
fn slot(line: u32, quad: u32) -> u32 {
    return line * QUADS + (quad ^ (line % QUADS));
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    let first_token = group.y * TOKENS;
    if first_token >= step.count {
        return;
    }
    let first_row = group.x * ROWS;
    let thread_row = index % SIDE;
    let thread_token = index / SIDE;
    let octet_count = params.columns / 8u;
    var sums: array<array<f32, ROWS_PER_THREAD>, PER_THREAD>;

    for (var start = 0u; start < octet_count; start += STEP_OCTETS) {
        let line = index % ROWS;
        let i = index / ROWS;
        let block = (start + i) / OCTETS;
        let octet = (start + i) % OCTETS;
        let k = block * BLOCK_ELEMENTS + octet_offset(octet);

        var w = Octet(vec4<f32>(0.0), vec4<f32>(0.0));
        if start + i < octet_count && first_row + line < params.rows {
            w = dequantize((first_row + line) * params.row_bytes + block * BLOCK_BYTES, octet);
        }
        w_tile[slot(line, 2u * i)] = w.low;
        w_tile[slot(line, 2u * i + 1u)] = w.high;
        if line < TOKENS {
            var low = vec4<f32>(0.0);
            var high = vec4<f32>(0.0);
            if start + i < octet_count && first_token + line < step.count {
                let at = ((first_token + line) * params.columns + k) / 4u;
                low = x[at];
                high = x[at + HIGH / 4u];
            }
            x_tile[slot(line, 2u * i)] = low;
            x_tile[slot(line, 2u * i + 1u)] = high;
        }
        workgroupBarrier();

        for (var quad = 0u; quad < QUADS; quad++) {
            var w_quads: array<vec4<f32>, ROWS_PER_THREAD>;
            for (var r = 0u; r < ROWS_PER_THREAD; r++) {
                w_quads[r] = w_tile[slot(thread_row + SIDE * r, quad)];
            }
            for (var t = 0u; t < PER_THREAD; t++) {
                let x_quad = x_tile[slot(thread_token + SIDE * t, quad)];
                for (var r = 0u; r < ROWS_PER_THREAD; r++) {
                    sums[t][r] += dot(x_quad, w_quads[r]);
                }
            }
        }
        workgroupBarrier();
    }

    for (var t = 0u; t < PER_THREAD; t++) {
        let token = first_token + thread_token + SIDE * t;
        for (var r = 0u; r < ROWS_PER_THREAD; r++) {
            let row = first_row + thread_row + SIDE * r;
            if token < step.count && row < params.rows {
                let column = params.first + row;
                let at = token * params.width + column;
                var sum = sums[t][r];
                {% if bias %}
                sum += bias[column];
                {% endif %}
                {% if accumulate %}
                sum += out[at];
                {% endif %}
                out[at] = sum;
            }
        }
    }
}
