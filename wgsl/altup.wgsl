// Alternating updates (AltUp, arXiv:2301.13310) of STREAMS streams of activations, of which layers only see the first.
//   first f32 [T, width]    others f32 [T, STREAMS - 1, width]    router f32 [T, STREAMS]
//   out_first as first      out_others as others    r = tanh(scale * router[t])
// Before a layer, where each stream is predicted from all (coefficients f32 [STREAMS, STREAMS, STREAMS]):
//   out[t, j] = stream[t, j] + sum_i (sum_k coefficients[j, i, k] r[k]) stream[t, i]
// After it, where all learn from what the layer made of the first (coefficients f32 [STREAMS, STREAMS]):
//   out[t, j] = stream[t, j] + (1 + sum_k coefficients[j, k] r[k]) (result[t] - stream[t, 0])    result as first
// One invocation an element of all streams; workgroup (x, token). Parameters: streams, correct (after a layer),
// workgroup_size.
{% include "lib/step.wgsl" %}
{% include "lib/tanh.wgsl" %}
struct Params {
    width: u32,
    scale: f32,
}

var<uniform> params: Params;
var<uniform> step: Step;
var<storage, read> first: array<f32>;
var<storage, read> others: array<f32>;
var<storage, read> router: array<f32>;
var<storage, read> coefficients: array<f32>;
{% if correct %}
var<storage, read> result: array<f32>;
{% endif %}
var<storage, read_write> out_first: array<f32>;
var<storage, read_write> out_others: array<f32>;

const STREAMS: u32 = {{ streams }}u;

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let t = id.y;
    if id.x >= params.width || t >= step.count {
        return;
    }
    let from_first = t * params.width + id.x;
    let from_others = t * (STREAMS - 1u) * params.width + id.x;
    let stream_0 = first[from_first];
    {% for i in range(1, streams) %}
    let stream_{{ i }} = others[from_others + {{ i - 1 }}u * params.width];
    {% endfor %}
    {% for k in range(streams) %}
    let gate_{{ k }} = stable_tanh(params.scale * router[t * STREAMS + {{ k }}u]);
    {% endfor %}
    {% if correct %}
    let learned = result[from_first] - stream_0;
    {% endif %}
    {% for j in range(streams) %}
    var sum_{{ j }} = stream_{{ j }}{{ " + learned" if correct }};
    {% for i in range(1 if correct else streams) %}
    {
        var coefficient = 0.0;
        {% for k in range(streams) %}
        coefficient += coefficients[{{ (j if correct else j * streams + i) * streams + k }}u] * gate_{{ k }};
        {% endfor %}
        sum_{{ j }} += coefficient * {{ "learned" if correct else "stream_%d" % i }};
    }
    {% endfor %}
    {% endfor %}
    out_first[from_first] = sum_0;
    {% for j in range(1, streams) %}
    out_others[from_others + {{ j - 1 }}u * params.width] = sum_{{ j }};
    {% endfor %}
}
