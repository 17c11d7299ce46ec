// Linear attention (lib/linear_attention.wgsl) over the tokens of a step, one after the other.
//   x f32 [T, x_stride]: queries and keys [key_heads, KEYS] and values [heads, values] of a token, from q_first, k_first
//   and v_first on. With `normalise` queries and keys are divided by sqrt(sum of squares + eps), queries times q_scale.
//   gates f32 [T, gates_stride]: a of each head (or key) from a_first on, b from b_first on
//   out f32 [T, heads, values]
// Workgroup (some of the values, head): a lane holds some of the keys of one value, and they
// add up what they have once a token. Lane l has value l / SLICES, and keys l % SLICES + j SLICES.
// Parameters: those of lib/linear_attention.wgsl, slices (lanes a value), workgroup_size.
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
{% include "lib/linear_attention.wgsl" %}
var<storage, read_write> state: array<f32>;
var<storage, read_write> out: array<f32>;

const SLICES: u32 = {{ slices }}u;
const SHARE: u32 = KEYS / SLICES; // keys of a lane
const LANES: u32 = {{ workgroup_size }}u;

// Each lane's sums over its keys, of this token and of the next one in turn, so that one barrier a token is enough:
// M^T k, M^T q, q k; and the squares of k and q.
var<workgroup> sums: array<vec4<f32>, {{ 2 * workgroup_size }}>;
{% if normalise %}
var<workgroup> squares: array<f32, {{ 2 * workgroup_size }}>;
{% endif %}

// What a lane reads of a token.
struct Inputs {
    q: array<f32, SHARE>,
    k: array<f32, SHARE>,
    a: {{ "array<f32, SHARE>" if channels else "f32" }},
    b: f32,
    v: f32,
}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let head = group.y;
    let key_head = keys_of(head, params.heads, params.key_heads);
    let value = group.x * (LANES / SLICES) + lane / SLICES;
    let slice = lane % SLICES;
    let first_lane = lane - slice;
    let has_value = value < params.values;
    let rate = rates[head];
    {% if channels %}
    let first_key = head * KEYS + slice;
    {% else %}
    let shift = shift_of(head, params.heads);
    {% endif %}

    var m: array<f32, SHARE>;
    let held = (head * KEYS + slice) * params.values + value;
    if has_value && step.position > 0u {
        {% for j in range(keys // slices) %}
        m[{{ j }}] = state[held + {{ j * slices }}u * params.values];
        {% endfor %}
    }
    let q_first = params.q_first + key_head * KEYS + slice;
    let k_first = params.k_first + key_head * KEYS + slice;
    let v_first = params.v_first + head * params.values + value;
    // What comes next is read before what is there is used.
    var next: Inputs;
    {% macro read(t) %}
    {% for j in range(keys // slices) %}
    next.q[{{ j }}] = x[{{ t }} * params.x_stride + q_first + {{ j * slices }}u];
    next.k[{{ j }}] = x[{{ t }} * params.x_stride + k_first + {{ j * slices }}u];
    {% if channels %}
    next.a[{{ j }}] = gates[{{ t }} * params.gates_stride + params.a_first + head * KEYS + slice + {{ j * slices }}u];
    {% endif %}
    {% endfor %}
    next.v = x[{{ t }} * params.x_stride + select(params.v_first, v_first, has_value)];
    {% if not channels %}
    next.a = gates[{{ t }} * params.gates_stride + params.a_first + head];
    {% endif %}
    {% if delta %}
    next.b = gates[{{ t }} * params.gates_stride + params.b_first + head];
    {% endif %}
    {% endmacro %}
    {{ read("0u") }}
    for (var t = 0u; t < step.count; t++) {
        let now = next;
        let following = min(t + 1u, step.count - 1u);
        {{ read("following") }}
        {% if not channels %}
        let gain = softplus(now.a + shift);
        let decay = exp(rate * gain);
        {% endif %}
        var own = vec4<f32>();
        {% if normalise %}
        var own_squares = 0.0;
        {% endif %}
        {% for j in range(keys // slices) %}
        {
            let q = now.q[{{ j }}];
            let k = now.k[{{ j }}];
            {% if channels %}
            m[{{ j }}] *= exp(rate * softplus(now.a[{{ j }}] + shift_of(first_key + {{ j * slices }}u, params.heads)));
            {% else %}
            m[{{ j }}] *= decay;
            {% endif %}
            own += vec4<f32>(m[{{ j }}] * k, m[{{ j }}] * q, q * k, k * k);
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
        let beta = 1.0 / (1.0 + exp(-now.b));
        let u = beta * (now.v - all.x * k_scale) * k_scale;
        {% else %}
        let u = gain * now.v * k_scale;
        {% endif %}
        {% for j in range(keys // slices) %}
        m[{{ j }}] += now.k[{{ j }}] * u;
        {% endfor %}
        if has_value && slice == 0u {
            let attended = (all.y + all.z * u) * q_scale;
            out[(t * params.heads + head) * params.values + value] = attended{{ " + skip_of(head, params.heads) * now.v" if skip }};
        }
    }
    if has_value {
        {% for j in range(keys // slices) %}
        state[held + {{ j * slices }}u * params.values] = m[{{ j }}];
        {% endfor %}
    }
}
