// Linear attention (lib/linear_attention.wgsl) by chunks of tokens, the first part: what the tokens of a chunk are to each
// other, whatever is remembered before them. Of tokens i and j of a chunk, j <= i, with d_ij = w_(j+1) .. w_i:
//   P_ij = d_ij q_i k_j: how much of u_j comes out at i
//   T = (I + L)^-1 diag(beta), L_ij = beta_i d_ij k_i k_j for j < i: with the delta rule u = T (v - what is known of v
//   before the chunk), since u_i = beta_i (v_i - what is known before the chunk - sum of d_ij k_i k_j u_j, j < i)
// d are exponentials of sums of logarithms, never quotients, as decays may be 0; nor products, of which each factor has an
// error of its own, all to the same side where decays are near 1.
//   x, gates: as of linear_attention_scan.wgsl
//   products f32 [chunks, heads, CHUNK, ROW]: of a token its row of P and, with the delta rule, of T; and four numbers:
//   of what is remembered before the chunk, what the query, and what the key is multiplied by, to be asked for it
//   (without the delta rule instead g); the key for what is remembered after the chunk; what is left after the token
// What is past the step's last token is 0, and forgets nothing. Workgroup (chunk, head): a lane has 4 x 4 of the products.
// Parameters: those of lib/linear_attention.wgsl, chunk (a multiple of 16), key_quads (quads of keys at a time).
{% include "lib/step.wgsl" %}
struct Params {
    heads: u32,
    key_heads: u32,
    q_first: u32,
    k_first: u32,
    x_stride: u32,
    a_first: u32,
    b_first: u32,
    gates_stride: u32,
    q_scale: f32,
    eps: f32,
}

var<uniform> params: Params;
var<uniform> step: Step;
var<storage, read> x: array<f32>;
var<storage, read> gates: array<f32>;
{% include "lib/linear_attention.wgsl" %}
var<storage, read_write> products: array<f32>;

const CHUNK: u32 = {{ chunk }}u;
const ROW: u32 = {{ 2 if delta else 1 }}u * CHUNK + 4u;
const QUADS: u32 = {{ key_quads }}u;
const LINE: u32 = QUADS + 1u; // one more than a line holds: lines start in different memory banks
const DOWN: u32 = {{ 2 if delta else 1 }}u * CHUNK / 4u; // lanes for the rows: queries and, with the delta rule, keys
const ACROSS: u32 = CHUNK / 4u; // lanes for the columns: keys
const LANES: u32 = DOWN * ACROSS;

var<workgroup> lines: array<vec4<f32>, 2u * CHUNK * LINE>; // queries, then keys
var<workgroup> scales: array<f32, 2u * CHUNK>; // what they are multiplied by
var<workgroup> decays: array<f32, CHUNK>; // log w
var<workgroup> strengths: array<f32, CHUNK>; // beta, or g
var<workgroup> between: array<f32, CHUNK * CHUNK>; // log d_ij for j <= i
{% if delta %}
var<workgroup> mixing: array<f32, CHUNK * CHUNK>; // L
{% endif %}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let head = group.y;
    let first = group.x * CHUNK;
    if first >= step.count {
        return;
    }
    let count = min(CHUNK, step.count - first);
    for (var i = lane; i < CHUNK; i += LANES) {
        var decay = 0.0;
        var strength = 0.0;
        if i < count {
            let at = (first + i) * params.gates_stride;
            let gain = softplus(gates[at + params.a_first + head] + shift_of(head, params.heads));
            decay = rates[head] * gain;
            strength = {{ "1.0 / (1.0 + exp(-gates[at + params.b_first + head]))" if delta else "gain" }};
        }
        decays[i] = decay;
        strengths[i] = strength;
    }
    workgroupBarrier();
    for (var j = lane; j < CHUNK; j += LANES) {
        var sum = 0.0;
        for (var i = j; i < CHUNK; i++) {
            between[i * CHUNK + j] = sum;
            sum += decays[min(i + 1u, CHUNK - 1u)];
        }
    }

    // sum_r[c]: the product of line row + r DOWN and of key column + c ACROSS
    let row = lane / ACROSS;
    let column = lane % ACROSS;
    {% for r in range(4) %}
    var sum_{{ r }} = vec4<f32>();
    {% endfor %}
    {% if normalise %}
    var squares = 0.0; // of line number `lane`
    {% endif %}
    let of_head = keys_of(head, params.heads, params.key_heads) * KEYS;
    for (var key = 0u; key < KEYS; key += 4u * QUADS) {
        for (var i = lane; i < 2u * CHUNK * QUADS; i += LANES) {
            let line = i / QUADS;
            let token = line % CHUNK;
            var quad = vec4<f32>();
            if token < count {
                let begin = select(params.q_first, params.k_first, line >= CHUNK) + of_head + key + i % QUADS * 4u;
                let at = (first + token) * params.x_stride + begin;
                quad = vec4<f32>(x[at], x[at + 1u], x[at + 2u], x[at + 3u]);
            }
            lines[line * LINE + i % QUADS] = quad;
        }
        workgroupBarrier();
        {% if normalise %}
        if lane < 2u * CHUNK {
            for (var i = 0u; i < QUADS; i++) {
                let quad = lines[lane * LINE + i];
                squares += dot(quad, quad);
            }
        }
        {% endif %}
        for (var i = 0u; i < QUADS; i++) {
            {% for c in range(4) %}
            let key_{{ c }} = lines[(CHUNK + column + {{ c }}u * ACROSS) * LINE + i];
            {% endfor %}
            {% for r in range(4) %}
            let line_{{ r }} = lines[(row + {{ r }}u * DOWN) * LINE + i];
            sum_{{ r }} += vec4<f32>(
                dot(line_{{ r }}, key_0), dot(line_{{ r }}, key_1),
                dot(line_{{ r }}, key_2), dot(line_{{ r }}, key_3),
            );
            {% endfor %}
        }
        workgroupBarrier();
    }

    for (var i = lane; i < 2u * CHUNK; i += LANES) {
        let scale = {{ "inverseSqrt(squares + params.eps)" if normalise else "1.0" }};
        scales[i] = select(0.0, scale * select(1.0, params.q_scale, i < CHUNK), i % CHUNK < count);
    }
    workgroupBarrier();
    let chunk = (group.x * params.heads + head) * CHUNK * ROW;
    {% for r in range(4) %}
    {
        let line = row + {{ r }}u * DOWN;
        let i = line % CHUNK;
        for (var c = 0u; c < 4u; c++) {
            let j = column + c * ACROSS;
            let left = select(0.0, exp(between[i * CHUNK + j]), j <= i);
            let product = sum_{{ r }}[c] * scales[line] * scales[CHUNK + j] * left;
            {% if delta and r >= 2 %}
            mixing[i * CHUNK + j] = strengths[i] * product;
            {% else %}
            products[chunk + i * ROW + j] = product;
            {% endif %}
        }
    }
    {% endfor %}
    for (var i = lane; i < CHUNK; i += LANES) {
        let left = exp(between[i * CHUNK] + decays[0]);
        let at = chunk + (i + 1u) * ROW - 4u;
        products[at] = left * scales[i];
        products[at + 1u] = {{ "left * scales[CHUNK + i]" if delta else "strengths[i]" }};
        products[at + 2u] = exp(between[(CHUNK - 1u) * CHUNK + i]) * scales[CHUNK + i];
        products[at + 3u] = left;
    }
    {% if delta %}
    workgroupBarrier();
    // A lane solves for a column of T, from the first row on; it is kept where nobody needs d any more.
    if lane < CHUNK {
        for (var i = 0u; i < CHUNK; i++) {
            var t = select(0.0, strengths[i], i == lane);
            for (var j = lane; j < i; j++) {
                t -= mixing[i * CHUNK + j] * between[j * CHUNK + lane];
            }
            between[i * CHUNK + lane] = t;
            products[chunk + i * ROW + CHUNK + lane] = t;
        }
    }
    {% endif %}
}
