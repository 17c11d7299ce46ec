// Matrix times a few vectors, with quantized weights that are read once for all of them:
//   out[t, first + n] = sum_k W[n, k] x[t, k] (* row_scale[first + n]) (+ bias[first + n]) (+ out[t, first + n])
//   weights: blocks of W [rows, columns]    x f32 [T, columns]    out f32 [T, width]    row_scale, bias f32 [width]
// `lanes` invocations share `lane_rows` rows, each taking every `lanes`-th span of octets of them for `tokens` tokens. x
// comes by way of workgroup memory, a stage of columns at a time: a quad of each token from each invocation. In the end
// that memory holds what the lanes have summed. Workgroups for other tokens of the same rows stand side by side.
// With rounded, x is rounded to so many bytes as linear_vector.wgsl rounds it, so that the results are the same.
// Parameters: type, shared_tables (false), tokens (8), parts (of so many tokens that a step has), rounded, lanes,
// lane_rows (at most 4), workgroup_size (a multiple of lanes and of 64, at most 128), row_scale, bias, accumulate,
// subgroups (hold 8 or more). Columns are a multiple of 8.
struct Params {
    columns: u32,
    row_bytes: u32,
    rows: u32,
    first: u32,
    width: u32,
}

{% set tail = false %}
{% include "lib/step.wgsl" %}
var<uniform> params: Params;
var<uniform> step: Step;
var<storage, read> x: array<vec4<f32>>;
var<storage, read_write> out: array<f32>;
{% if row_scale %}
var<storage, read> row_scale: array<f32>;
{% endif %}
{% if bias %}
var<storage, read> bias: array<f32>;
{% endif %}

{% import "quant/" ~ type ~ ".wgsl" as quant with context %}
{% include "lib/octets.wgsl" %}
{% include "lib/load_quad.wgsl" %}
{% include "lib/workgroup_index.wgsl" %}
{% if rounded %}
{% with x_bytes = rounded %}
{% include "lib/rounded.wgsl" %}
{% endwith %}
{% endif %}

const THREADS: u32 = {{ workgroup_size }}u;
const LANES: u32 = {{ lanes }}u;
const GROUPS: u32 = THREADS / LANES; // of lanes
const LANE_ROWS: u32 = {{ lane_rows }}u;
const SPAN_QUADS: u32 = 2u * SPAN;
const STAGE_SPANS: u32 = THREADS / SPAN_QUADS; // of 512 columns or fewer: 16 or more
const SPANS: u32 = OCTETS / SPAN; // of a block
const PARTS: u32 = {{ parts }}u;
const TOKENS: u32 = {{ tokens }}u;
const TOKEN_QUADS: u32 = {{ tokens // 4 }}u;
const BANK_QUADS: u32 = 8u; // in all banks

var<workgroup> stage: array<vec4<f32>, TOKENS * THREADS>;

// Where quad `quad` of span `span` of token `token` lies: the quads of a span, which neighbours write, in different
// banks of memory, as well as the spans, which neighbours read.
fn slot(token: u32, quad: u32, span: u32) -> u32 {
    return (token * SPAN_QUADS + quad) * STAGE_SPANS + (span ^ (quad % BANK_QUADS));
}
{% if rounded %}

// The largest magnitude of the span of which this invocation brought quad `x` of token `token`.
fn peak_of(token: u32, x: vec4<f32>, index: u32) -> f32 {
    {% if subgroups %}
    var peaks = abs(x);
    for (var stride = SPAN_QUADS / 2u; stride > 0u; stride >>= 1u) {
        peaks = max(peaks, subgroupShuffleXor(peaks, stride));
    }
    {% else %}
    stage[token * THREADS + index] = abs(x);
    workgroupBarrier();
    var peaks = vec4<f32>(0.0);
    for (var quad = 0u; quad < SPAN_QUADS; quad++) {
        peaks = max(peaks, stage[token * THREADS + index / SPAN_QUADS * SPAN_QUADS + quad]);
    }
    workgroupBarrier();
    {% endif %}
    return max(max(peaks.x, peaks.y), max(peaks.z, peaks.w));
}
{% endif %}

@compute @workgroup_size({{ workgroup_size }})
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let workgroup = workgroup_index(group, groups);
    let first_token = workgroup % PARTS * TOKENS;
    if first_token >= step.count {
        return;
    }
    let lane = index % LANES;
    let first_row = workgroup / PARTS * GROUPS * LANE_ROWS;
    {% for r in range(lane_rows) %}
    let row_{{ r }} = min(first_row + index / LANES * LANE_ROWS + {{ r }}u, params.rows - 1u) * params.row_bytes;
    {% for t in range(tokens) %}
    var sum_{{ r }}_{{ t }} = 0.0;
    {% endfor %}
    {% endfor %}
    let spans = octets_of_row() / SPAN;
    for (var start = 0u; start < spans; start += STAGE_SPANS) {
        let column = octet_column(min(start * SPAN + index / 2u, octets_of_row() - 1u)) + index % 2u * HIGH;
        {% for t in range(tokens) %}
        let x_{{ t }} = load_quad(min(first_token + {{ t }}u, step.count - 1u) * params.columns, column);
        {% endfor %}
        workgroupBarrier();
        {% for t in range(tokens) %}
        {% if rounded %}
        let peak_{{ t }} = peak_of({{ t }}u, x_{{ t }}, index);
        {% set value = "round(factor_of(peak_%d) * x_%d) * (peak_%d / LARGEST)" % (t, t, t) %}
        {% endif %}
        stage[slot({{ t }}u, index % SPAN_QUADS, index / SPAN_QUADS)] = {{ value if rounded else "x_%d" % t }};
        {% endfor %}
        workgroupBarrier();
        let here = min(spans - start, STAGE_SPANS);
        for (var s = lane; s < here; s += LANES) {
            let span = (start + s) % SPANS;
            {% for r in range(lane_rows) %}
            let block_{{ r }} = row_{{ r }} + (start + s) / SPANS * BLOCK_BYTES;
            {% if quant.span > 1 %}
            let scales_{{ r }} = load_scales(block_{{ r }}, span);
            {% endif %}
            {% for j in range(quant.span) %}
            let w_{{ r }}_{{ j }} = {{ "load_bytes" if quant.bytes else "load_values" }}(block_{{ r }}, span, {{ j }}u);
            {% endfor %}
            {% endfor %}
            {% for j in range(quant.span) %}
            {
                {% for r in range(lane_rows) %}
                let octet_{{ r }} = {{ "values_of(w_%d_%d)" % (r, j) if quant.bytes else "w_%d_%d" % (r, j) }};
                {% endfor %}
                {% for half, factor, summand, quad in [("low", "x", "y", 2 * j), ("high", "z", "w", 2 * j + 1)] %}
                {
                    {% for r in range(lane_rows) %}
                    {% set scaled = "scales_%d.%s * octet_%d.%s" % (r, factor, r, half) %}
                    {% set scaled = scaled if quant.span > 1 else "octet_%d.%s" % (r, half) %}
                    let w_{{ r }} = {{ scaled }}{{ " + scales_%d.%s" % (r, summand) if quant.summands }};
                    {% endfor %}
                    {% for t in range(tokens) %}
                    {
                        let x = stage[slot({{ t }}u, {{ quad }}u, s)];
                        {% for k in range(4) %}
                        {% for r in range(lane_rows) %}
                        sum_{{ r }}_{{ t }} = fma(w_{{ r }}[{{ k }}], x[{{ k }}], sum_{{ r }}_{{ t }});
                        {% endfor %}
                        {% endfor %}
                    }
                    {% endfor %}
                }
                {% endfor %}
            }
            {% endfor %}
        }
    }
    workgroupBarrier();
    {% for r in range(lane_rows) %}
    {% for q in range(tokens // 4) %}
    {% set sums = "sum_%d_%d, sum_%d_%d, sum_%d_%d, sum_%d_%d" % (r, 4 * q, r, 4 * q + 1, r, 4 * q + 2, r, 4 * q + 3) %}
    stage[{{ r * tokens // 4 + q }}u * THREADS + index] = vec4<f32>({{ sums }});
    {% endfor %}
    {% endfor %}
    workgroupBarrier();
    for (var i = index; i < GROUPS * LANE_ROWS * TOKEN_QUADS; i += THREADS) {
        let part = i / GROUPS; // row by row of a group, the tokens' quads
        var sums = vec4<f32>(0.0);
        for (var other = 0u; other < LANES; other++) {
            // From another lane for each group, whose lanes lie in the same banks.
            sums += stage[part * THREADS + i % GROUPS * LANES + (i + other) % LANES];
        }
        let n = first_row + i % GROUPS * LANE_ROWS + part / TOKEN_QUADS;
        let column = params.first + n;
        for (var k = 0u; k < 4u; k++) {
            let token = first_token + 4u * (part % TOKEN_QUADS) + k;
            if n < params.rows && token < step.count {
                let element = token * params.width + column;
                {% set result = "sums[k]%s%s" % (" * row_scale[column]" if row_scale else "", " + bias[column]" if bias else "") %}
                out[element] = {{ result }}{{ " + out[element]" if accumulate }};
            }
        }
    }
}
