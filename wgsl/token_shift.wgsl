// Token shift: each token is mixed with the one before it, channel by channel, by the vectors ORDER of `mixes`:
//   out[t, p, i] = x[t, i] + mixes[ORDER[p], i] (x[t - 1, i] - x[t, i])
//   x f32 [T, width]    mixes f32 [.., width]    out f32 [T, parts, width]
//   state f32 [width]: the token before the step; replaced by its last one
// With normed there is a single token, of which x is first normed as by lib/norm.wgsl, by each workgroup for itself:
//   weight, bias f32 [width]
// Before position 0 all is 0. Workgroup (x) has LANES channels, and STRANDS invocations for each, which share the tokens.
// The one that reads a channel's state is the one that writes it. Parameters: order (of vectors), normed (with it centred,
// bias), lanes, strands, subgroups.
{% include "lib/step.wgsl" %}
struct Params {
    width: u32,
    {% if normed %}
    eps: f32,
    {% endif %}
}

var<uniform> params: Params;
var<uniform> step: Step;
var<storage, read> x: array<f32>;
var<storage, read> mixes: array<f32>;
{% if normed %}
var<storage, read> weight: array<f32>;
{% endif %}
{% if bias %}
var<storage, read> bias: array<f32>;
{% endif %}
var<storage, read_write> state: array<f32>;
var<storage, read_write> out: array<f32>;

const LANES: u32 = {{ lanes }}u;
const STRANDS: u32 = {{ strands }}u;
const PARTS: u32 = {{ order | length }}u;
{% if normed %}
{% set reductions, workgroup_size = ["sum"], lanes * strands %}
{% include "lib/reduce.wgsl" %}
{% endif %}

@compute @workgroup_size({{ lanes * strands }})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    {% if normed %}
    var centre = 0.0;
    {% if centred %}
    var total = 0.0;
    for (var j = index; j < params.width; j += LANES) {
        total += x[j];
    }
    centre = workgroup_sum(total, index) / f32(params.width);
    {% endif %}
    var squares = 0.0;
    for (var j = index; j < params.width; j += LANES) {
        squares += (x[j] - centre) * (x[j] - centre);
    }
    let scale = inverseSqrt(workgroup_sum(squares, index) / f32(params.width) + params.eps);
    {% endif %}
    let i = group.x * LANES + index % LANES;
    let strand = index / LANES;
    if i >= params.width {
        return;
    }
    {% for vector in order %}
    let mix_{{ loop.index0 }} = mixes[{{ vector }}u * params.width + i];
    {% endfor %}
    var first = 0.0;
    if strand == 0u && step.position > 0u {
        first = state[i];
    }
    {% if normed %}
    {
        let t = 0u;
        let now = (x[i] - centre) * scale * weight[i]{{ " + bias[i]" if bias }};
        let before = first;
        state[i] = now;
    {% else %}
    if strand == 0u {
        state[i] = x[(step.count - 1u) * params.width + i];
    }
    for (var t = strand; t < step.count; t += STRANDS) {
        let now = x[t * params.width + i];
        var before = first;
        if t > 0u {
            before = x[(t - 1u) * params.width + i];
        }
    {% endif %}
        let change = before - now;
        {% for vector in order %}
        out[(t * PARTS + {{ loop.index0 }}u) * params.width + i] = now + mix_{{ loop.index0 }} * change;
        {% endfor %}
    }
}
