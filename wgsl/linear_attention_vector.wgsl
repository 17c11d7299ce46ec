// Linear attention (lib/linear_attention.wgsl) of a single token, with the convolution before it (causal_conv.wgsl) and,
// with `norm`, the norm and the gates behind it (gated_norm.wgsl), which are of a head each.
//   x f32 [1, ..]: the convolution's channels from conv_first on, of which queries, keys and values are those from
//   q_first, k_first and v_first on; a from a_first on, b from b_first on, gates of what comes out from gate_first on
//   taps f32 [conv_width, LENGTH], bias f32 [conv_width], conv_state f32 [LENGTH, conv_width]: as of causal_conv.wgsl
//   weight f32 [values] or [heads, values]    out f32 [1, heads, values]
// Workgroup (head): lane l has value l % values, and of its keys a share that begins at l / values; what no lane has
// room for is nobody's. Parameters: those of lib/linear_attention.wgsl, length, bias, norm, before, function, shares
// (lanes a value), unroll (a divisor of a share), workgroup_size, subgroups.
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
{% if norm %}
var<storage, read> weight: array<f32>;
{% endif %}
var<storage, read_write> out: array<f32>;

const LENGTH: u32 = {{ length }}u;
const LANES: u32 = {{ workgroup_size }}u;
const SHARES: u32 = {{ shares }}u;
const SHARE: u32 = KEYS / SHARES; // keys of a lane

var<workgroup> q: array<f32, KEYS>;
var<workgroup> k: array<f32, KEYS>;
{% if channels %}
var<workgroup> decays: array<f32, KEYS>;
{% endif %}
var<workgroup> sums: array<vec2<f32>, LANES>; // each lane's: M^T k, M^T q

{% include "lib/activations.wgsl" %}
{% set reductions = ["sum"] %}
{% include "lib/reduce.wgsl" %}

fn silu(value: f32) -> f32 {
    return value * sigmoid(value);
}

// Channel i after the convolution; keep: it is put into the state.
fn channel(i: u32, keep: bool) -> f32 {
    let now = x[params.conv_first + i];
    var sum = {{ "bias[i] + " if bias }}taps[(i + 1u) * LENGTH - 1u] * now;
    for (var back = 1u; back < min(LENGTH, step.position + 1u); back++) {
        sum += taps[(i + 1u) * LENGTH - 1u - back] * conv_state[(step.position - back) % LENGTH * params.conv_width + i];
    }
    if keep {
        // Nobody reads this row now: all read those of the tokens before.
        conv_state[step.position % LENGTH * params.conv_width + i] = now;
    }
    return silu(sum);
}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let head = group.x;
    let key_head = keys_of(head, params.heads, params.key_heads);
    let is_first = {{ "head < params.key_heads" if interleaved else "head % (params.heads / params.key_heads) == 0u" }};
    var products = vec3<f32>(); // of this lane's keys: q k, k k, q q
    for (var i = lane; i < KEYS; i += LANES) {
        let query = channel(params.q_first + key_head * KEYS + i, is_first);
        let key = channel(params.k_first + key_head * KEYS + i, is_first);
        q[i] = query;
        k[i] = key;
        {% if channels %}
        decays[i] = exp(rates[head] * softplus(x[params.a_first + head * KEYS + i] + rates[params.heads + head * KEYS + i]));
        {% endif %}
        products += vec3<f32>(query * key, key * key, query * query);
    }
    let qk = workgroup_sum(products.x, lane); // what it waits for, q and k have been written
    {% if normalise %}
    let k_scale = inverseSqrt(workgroup_sum(products.y, lane) + params.eps);
    let q_scale = inverseSqrt(workgroup_sum(products.z, lane) + params.eps) * params.q_scale;
    {% else %}
    let k_scale = 1.0;
    let q_scale = params.q_scale;
    {% endif %}
    {% if not channels %}
    let gain = softplus(x[params.a_first + head] + rates[params.heads + head]);
    let decay = exp(rates[head] * gain);
    {% endif %}

    let value = lane % params.values;
    let share = lane / params.values;
    let works = share < SHARES;
    let held = (head * KEYS + share * SHARE) * params.values + value;
    let known = step.position > 0u;
    var own = vec2<f32>();
    if works && known {
        for (var j = 0u; j < SHARE; j += {{ unroll }}u) {
            {% for n in range(unroll) %}
            {
                let at = j + {{ n }}u;
                let m = state[held + at * params.values]{{ " * decays[share * SHARE + at]" if channels }};
                own += m * vec2<f32>(k[share * SHARE + at], q[share * SHARE + at]);
            }
            {% endfor %}
        }
    }
    sums[lane] = own{{ " * decay" if not channels }};
    workgroupBarrier();
    var all = vec2<f32>();
    for (var other = 0u; other < SHARES; other++) {
        all += sums[other * params.values + value];
    }
    var v = 0.0;
    if works {
        v = channel(params.v_first + head * params.values + value, share == 0u);
    }
    {% if delta %}
    let u = sigmoid(x[params.b_first + head]) * (v - all.x * k_scale) * k_scale;
    {% else %}
    let u = gain * v;
    {% endif %}
    if works {
        for (var j = 0u; j < SHARE; j += {{ unroll }}u) {
            {% for n in range(unroll) %}
            {
                let at = j + {{ n }}u;
                let place = held + at * params.values;
                let m = select(0.0, state[place], known) * {{ "decays[share * SHARE + at]" if channels else "decay" }};
                state[place] = m + k[share * SHARE + at] * u;
            }
            {% endfor %}
        }
    }
    let o = (all.y + qk * u) * q_scale{{ " + rates[2u * params.heads + head] * v" if skip }};
    let writes = share == 0u;
    {% if norm %}
    var gate = 0.0;
    if writes {
        gate = activation(x[params.gate_first + head * params.values + value], 0.0, 0.0);
    }
    let normed = {{ "o * gate" if before else "o" }};
    let squares = workgroup_sum(select(0.0, normed * normed, writes), lane);
    let scale = inverseSqrt(squares / f32(params.values) + params.norm_eps);
    if writes {
        out[head * params.values + value] = o * gate * scale * weight[head * params.weight_step + value];
    }
    {% else %}
    if writes {
        out[head * params.values + value] = o;
    }
    {% endif %}
}
