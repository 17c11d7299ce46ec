// Linear attention (lib/linear_attention.wgsl) of a single token, with the convolution before it (causal_conv.wgsl) and,
// with `norm`, the norm and the gates behind it (gated_norm.wgsl), which are of a head each.
//   x f32 [1, ..]: the convolution's channels from conv_first on, of which queries, keys and values are those from
//   q_first, k_first and v_first on; a from a_first on, b from b_first on, gates of what comes out from gate_first on
//   taps f32 [conv_width, LENGTH], bias f32 [conv_width]: as of causal_conv.wgsl    conv_state: lib/conv_state.wgsl
//   weight f32 [values] or [heads, values]    out f32 [1, heads, values]
// Workgroup (head): lane l has value l % values, and the share l / values of its keys, in registers. All that is read
// from memory is asked for before the first of it is needed. Parameters: those of lib/linear_attention.wgsl, length,
// bias, norm, before, function, shares (lanes a value), workgroup_size, subgroups.
{% include "lib/step.wgsl" %}
struct Params {
    heads: u32,
    key_heads: u32,
    values: u32,
    conv_first: u32,
    conv_width: u32,
    q_first: u32,
    k_first: u32,
    v_first: u32,
    a_first: u32,
    b_first: u32,
    gate_first: u32,
    weight_step: u32,  // from the weights of a head to those of the next
    q_scale: f32,
    eps: f32,
    norm_eps: f32,
}

var<uniform> params: Params;
var<uniform> step: Step;
var<storage, read> x: array<f32>;
var<storage, read> taps: array<f32>;
{% if bias %}
var<storage, read> bias: array<f32>;
{% endif %}
var<storage, read_write> conv_state: array<f32>;
{% include "lib/linear_attention.wgsl" %}
var<storage, read_write> state: array<f32>;
{% if norm %}
var<storage, read> weight: array<f32>;
{% endif %}
var<storage, read_write> out: array<f32>;

const LANES: u32 = {{ workgroup_size }}u;
const SHARES: u32 = {{ shares }}u;
{% set share = keys // shares %}
const SHARE: u32 = {{ share }}u; // keys of a lane

var<workgroup> mixed: array<f32, 2u * KEYS>; // queries, then keys
{% if channels %}
var<workgroup> decays: array<f32, KEYS>;
{% endif %}
// Each lane's sums over its keys: M^T k, M^T q, q k; and the squares of k and of q.
var<workgroup> sums: array<vec4<f32>, LANES>;
var<workgroup> squares: array<f32, LANES>;

{% include "lib/activations.wgsl" %}
{% set conv_width = "params.conv_width" %}
{% set conv_state = "conv_state" %}
{% include "lib/conv_state.wgsl" %}
{% if norm %}
{% set reductions = ["sum"] %}
{% include "lib/reduce.wgsl" %}
{% endif %}

// Channel i after the convolution; keep: it is put into the state.
fn channel(i: u32, keep: bool) -> f32 {
    let now = x[params.conv_first + i];
    var sum = {{ "bias[i] + " if bias }}taps[(i + 1u) * LENGTH - 1u] * now;
    {% for back in range(1, length) %}
    sum += taps[(i + 1u) * LENGTH - {{ back + 1 }}u] * before_step({{ back }}u, i);
    {% endfor %}
    if keep {
        // Nobody reads this row now: all read those of the tokens before.
        conv_state[state_place(step.position, i)] = now;
    }
    return silu(sum);
}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let head = group.x;
    let key_head = keys_of(head, params.heads, params.key_heads);
    let is_first = {{ "head < params.key_heads" if interleaved else "head % (params.heads / params.key_heads) == 0u" }};
    let value = lane % params.values;
    let share = lane / params.values;
    let works = share < SHARES;
    let place = (head * KEYS + share * SHARE) * params.values + value;
    var m: array<f32, SHARE>;
    if works && step.position > 0u {
        {% for j in range(share) %}
        m[{{ j }}] = state[place + {{ j }}u * params.values];
        {% endfor %}
    }
    for (var i = lane; i < 2u * KEYS; i += LANES) {
        let is_key = i >= KEYS;
        let first = select(params.q_first, params.k_first - KEYS, is_key) + key_head * KEYS;
        mixed[i] = channel(first + i, is_first);
    }
    {% if channels %}
    for (var i = lane; i < KEYS; i += LANES) {
        let of_key = head * KEYS + i;
        decays[i] = exp(rates[head] * softplus(x[params.a_first + of_key] + shift_of(of_key, params.heads)));
    }
    {% else %}
    let gain = softplus(x[params.a_first + head] + shift_of(head, params.heads));
    let decay = exp(rates[head] * gain);
    {% endif %}
    var v = 0.0;
    if works {
        v = channel(params.v_first + head * params.values + value, share == 0u);
    }
    {% if norm %}
    var gate = 0.0;
    if works {
        gate = activation(x[params.gate_first + head * params.values + value], 0.0, 0.0);
    }
    {% endif %}
    workgroupBarrier();

    var own = vec4<f32>();
    var own_squares = 0.0;
    if works {
        {% for j in range(share) %}
        {
            let at = share * SHARE + {{ j }}u;
            let q = mixed[at];
            let k = mixed[KEYS + at];
            m[{{ j }}] *= {{ "decays[at]" if channels else "decay" }};
            own += vec4<f32>(m[{{ j }}] * k, m[{{ j }}] * q, q * k, k * k);
            own_squares += q * q;
        }
        {% endfor %}
    }
    sums[lane] = own;
    squares[lane] = own_squares;
    workgroupBarrier();
    var all = vec4<f32>();
    var q_squares = 0.0;
    for (var other = 0u; other < SHARES; other++) {
        all += sums[other * params.values + value];
        q_squares += squares[other * params.values + value];
    }
    {% if normalise %}
    let k_scale = inverseSqrt(all.w + params.eps);
    let q_scale = inverseSqrt(q_squares + params.eps) * params.q_scale;
    {% else %}
    let k_scale = 1.0;
    let q_scale = params.q_scale;
    {% endif %}
    {% if delta %}
    let u = sigmoid(x[params.b_first + head]) * (v - all.x * k_scale) * k_scale;
    {% else %}
    let u = gain * v;
    {% endif %}
    if works {
        {% for j in range(share) %}
        state[place + {{ j }}u * params.values] = m[{{ j }}] + mixed[KEYS + share * SHARE + {{ j }}u] * u;
        {% endfor %}
    }
    let o = (all.y + all.z * u) * q_scale{{ " + skip_of(head, params.heads) * v" if skip }};
    let writes = share == 0u;
    {% if norm %}
    let normed = {{ "o * gate" if before else "o" }};
    let square = workgroup_sum(select(0.0, normed * normed, writes), lane);
    let scale = inverseSqrt(square / f32(params.values) + params.norm_eps);
    if writes {
        out[head * params.values + value] = o * gate * scale * weight[head * params.weight_step + value];
    }
    {% else %}
    if writes {
        out[head * params.values + value] = o;
    }
    {% endif %}
}
