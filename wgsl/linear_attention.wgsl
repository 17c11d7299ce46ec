// Linear attention with a state that forgets: of a head the matrix M [keys, values], and for each token
//   M <- w M;  u = beta (v - M^T k) with the delta rule, else g v;  M <- M + k u^T;  o = M^T q (+ D v)
//   w = exp(A softplus(a + shift)): one a head, or one for each of its keys    beta = sigmoid(b)    g = softplus(a + shift)
//   x f32 [T, x_stride]: queries and keys [key_heads, KEYS] and values [heads, values] of a token, from q_first, k_first
//   and v_first on. With `normalise` queries and keys are divided by sqrt(sum of squares + eps), queries times q_scale.
//   gates f32 [T, gates_stride]: a of each head (or key) from a_first on, b from b_first on
//   rates f32: A [heads], shift [heads] (or [heads, KEYS]), D [heads] if there is one, side by side
//   state f32 [heads, values, KEYS]: M before the step; replaced by that at its end    out f32 [T, heads, values]
// Before position 0 M is 0. Workgroup (some of the values, head): a lane holds some of the keys of one value, and they
// add up what they have once a token. Lane l has value l / SLICES, and keys l % SLICES + j SLICES.
// Parameters: keys, slices (lanes a value), delta, channels (a decay for each key), skip (there is a D), normalise,
// interleaved (head h has the keys of head h % key_heads, else of h / (heads / key_heads)), workgroup_size.
{% include "lib/step.wgsl" %}
struct Params {
    heads: u32,
    key_heads: u32,
    values: u32,
    q_first: u32,
    k_first: u32,
    v_first: u32,
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
var<storage, read> rates: array<f32>;
var<storage, read_write> state: array<f32>;
var<storage, read_write> out: array<f32>;

const KEYS: u32 = {{ keys }}u;
const SLICES: u32 = {{ slices }}u;
const SHARE: u32 = KEYS / SLICES; // keys of a lane
const LANES: u32 = {{ workgroup_size }}u;
const SOFTPLUS_LIMIT: f32 = 20.0; // beyond it log(1 + exp(x)) is x

// Each lane's sums over its keys, of this token and of the next one in turn, so that one barrier a token is enough:
// M^T k, M^T q, q k; and the squares of k and q.
var<workgroup> sums: array<vec4<f32>, {{ 2 * workgroup_size }}>;
{% if normalise %}
var<workgroup> squares: array<f32, {{ 2 * workgroup_size }}>;
{% endif %}

fn softplus(value: f32) -> f32 {
    return select(log(1.0 + exp(min(value, SOFTPLUS_LIMIT))), value, value > SOFTPLUS_LIMIT);
}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let head = group.y;
    let key_head = {{ "head % params.key_heads" if interleaved else "head / (params.heads / params.key_heads)" }};
    let value = group.x * (LANES / SLICES) + lane / SLICES;
    let slice = lane % SLICES;
    let first_lane = lane - slice;
    let has_value = value < params.values;
    let rate = rates[head];
    {% if channels %}
    let shifts = params.heads + head * KEYS + slice;
    {% else %}
    let shift = rates[params.heads + head];
    {% endif %}

    var m: array<f32, SHARE>;
    let held = (head * params.values + value) * KEYS + slice;
    if has_value && step.position > 0u {
        {% for j in range(keys // slices) %}
        m[{{ j }}] = state[held + {{ j * slices }}u];
        {% endfor %}
    }
    for (var t = 0u; t < step.count; t++) {
        let row = t * params.x_stride;
        let q_row = row + params.q_first + key_head * KEYS + slice;
        let k_row = row + params.k_first + key_head * KEYS + slice;
        let gate_row = t * params.gates_stride;
        {% if not channels %}
        let gain = softplus(gates[gate_row + params.a_first + head] + shift);
        let decay = exp(rate * gain);
        {% endif %}
        var v = 0.0;
        if has_value {
            v = x[row + params.v_first + head * params.values + value];
        }
        var k: array<f32, SHARE>;
        var own = vec4<f32>();
        {% if normalise %}
        var own_squares = 0.0;
        {% endif %}
        {% for j in range(keys // slices) %}
        {
            let q = x[q_row + {{ j * slices }}u];
            k[{{ j }}] = x[k_row + {{ j * slices }}u];
            {% if channels %}
            let decay = exp(rate * softplus(gates[gate_row + params.a_first + head * KEYS + slice + {{ j * slices }}u]
                + rates[shifts + {{ j * slices }}u]));
            {% endif %}
            m[{{ j }}] *= decay;
            own += vec4<f32>(m[{{ j }}] * k[{{ j }}], m[{{ j }}] * q, q * k[{{ j }}], k[{{ j }}] * k[{{ j }}]);
            {% if normalise %}
            own_squares += q * q;
            {% endif %}
        }
        {% endfor %}
        let half = (t % 2u) * LANES;
        sums[half + lane] = own;
        {% if normalise %}
        squares[half + lane] = own_squares;
        {% endif %}
        workgroupBarrier();
        var all = sums[half + first_lane];
        for (var other = 1u; other < SLICES; other++) {
            all += sums[half + first_lane + other];
        }
        {% if normalise %}
        var q_squares = squares[half + first_lane];
        for (var other = 1u; other < SLICES; other++) {
            q_squares += squares[half + first_lane + other];
        }
        let k_scale = inverseSqrt(all.w + params.eps);
        let q_scale = inverseSqrt(q_squares + params.eps) * params.q_scale;
        {% else %}
        let k_scale = 1.0;
        let q_scale = params.q_scale;
        {% endif %}
        {% if delta %}
        let beta = 1.0 / (1.0 + exp(-gates[gate_row + params.b_first + head]));
        let u = beta * (v - all.x * k_scale) * k_scale;
        {% else %}
        let u = gain * v * k_scale;
        {% endif %}
        {% for j in range(keys // slices) %}
        m[{{ j }}] += k[{{ j }}] * u;
        {% endfor %}
        if has_value && slice == 0u {
            let attended = (all.y + all.z * u) * q_scale;
            out[(t * params.heads + head) * params.values + value] = attended{{ " + rates[2u * params.heads + head] * v" if skip }};
        }
    }
    if has_value {
        {% for j in range(keys // slices) %}
        state[held + {{ j * slices }}u] = m[{{ j }}];
        {% endfor %}
    }
}
