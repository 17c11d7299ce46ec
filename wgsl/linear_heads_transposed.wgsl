// Products of each head of a token with a matrix of its own, whose rows are what is added up:
//   out[t, h, k] = sum_n W[h, n, k] x[t, h, n] (+ out[t, h, k])
//   weights: blocks of a stripe of W [heads rows, columns]    out f32 [T, heads, width]
//   x f32: head h of token t begins at element x_first + t x_stride + h x_width
// Workgroup (x, y, h) makes LANES octets of columns for `tokens` tokens. Its strands share the rows, and then add up what
// they have found; so rows are read as they lie in the file, neighbours side by side.
// Parameters: type, tail (columns is no multiple of 8), shared_tables (false), tokens, lanes, strands, accumulate.
{% include "lib/step.wgsl" %}
struct Params {
    columns: u32,
    row_bytes: u32,
    rows: u32, // of a head
    heads: u32,
    x_first: u32,
    x_stride: u32,
    x_width: u32,
    width: u32,
    skipped: u32, // rows before this stripe
    stripe_rows: u32, // rows of it
}

var<uniform> params: Params;
var<uniform> step: Step;
var<storage, read> x: array<f32>;
var<storage, read_write> out: array<f32>;

{% include "lib/octets.wgsl" %}

const LANES: u32 = {{ lanes }}u;
const STRANDS: u32 = {{ strands }}u;
const TOKENS: u32 = {{ tokens }}u;

var<workgroup> sums: array<Octet, LANES * STRANDS>;

fn write_quad(row: u32, column: u32, sum: vec4<f32>) {
    {% for i in range(4) %}
    {{ "if column + %du < params.columns {" % i if tail else "{" }}
        let element = row * params.width + column + {{ i }}u;
        out[element] = sum[{{ i }}]{{ " + out[element]" if accumulate }};
    }
    {% endfor %}
}

@compute @workgroup_size({{ lanes * strands }})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    let first_token = group.y * TOKENS;
    if first_token >= step.count {
        return;
    }
    let head = group.z;
    let lane = index % LANES;
    let octet = group.x * LANES + lane;
    {% for t in range(tokens) %}
    let token_{{ t }} = min(first_token + {{ t }}u, step.count - 1u);
    let origin_{{ t }} = params.x_first + token_{{ t }} * params.x_stride + head * params.x_width;
    var low_{{ t }} = vec4<f32>(0.0);
    var high_{{ t }} = vec4<f32>(0.0);
    {% endfor %}
    for (var n = index / LANES; n < params.rows; n += STRANDS) {
        let row = head * params.rows + n - params.skipped;
        if row < params.stripe_rows {
            let w = load_octet(row, min(octet, octets_of_row() - 1u));
            {% for t in range(tokens) %}
            let x_{{ t }} = x[origin_{{ t }} + n];
            low_{{ t }} += x_{{ t }} * w.low;
            high_{{ t }} += x_{{ t }} * w.high;
            {% endfor %}
        }
    }
    {% for t in range(tokens) %}
    sums[index] = Octet(low_{{ t }}, high_{{ t }});
    workgroupBarrier();
    if index < LANES && octet < octets_of_row() && first_token + {{ t }}u < step.count {
        var sum = sums[lane];
        for (var strand = 1u; strand < STRANDS; strand++) {
            sum.low += sums[strand * LANES + lane].low;
            sum.high += sums[strand * LANES + lane].high;
        }
        write_quad(token_{{ t }} * params.heads + head, octet_column(octet), sum.low);
        write_quad(token_{{ t }} * params.heads + head, octet_column(octet) + HIGH, sum.high);
    }
    workgroupBarrier();
    {% endfor %}
}
