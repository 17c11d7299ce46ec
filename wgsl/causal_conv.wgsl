// Causal convolution of a sequence, channel by channel, with SiLU:
//   out[t, i] = silu(bias[i] + sum_k taps[i, k] x[t - LENGTH + 1 + k, i])
//   x f32 [T, x_stride], of which the channels are elements x_first .. x_first + width    taps f32 [width, LENGTH], of
//   the oldest element first    bias f32 [width]    out f32 [T, width]
//   state f32 [LENGTH, width]: the channels of the last tokens, each in the row of its position modulo LENGTH; those of
//   the LENGTH - 1 before the step are read, and those at its end written
// Before position 0 all is 0. One invocation a channel: it goes through the step's tokens, so that nobody else writes
// what it reads. Parameters: length, bias, workgroup_size.
{% include "lib/step.wgsl" %}
struct Params {
    width: u32,
    x_first: u32,
    x_stride: u32,
}

var<uniform> params: Params;
var<uniform> step: Step;
var<storage, read> x: array<f32>;
var<storage, read> taps: array<f32>;
{% if bias %}
var<storage, read> bias: array<f32>;
{% endif %}
var<storage, read_write> state: array<f32>;
var<storage, read_write> out: array<f32>;

{% set function = "silu" %}
{% include "lib/activations.wgsl" %}

const LENGTH: u32 = {{ length }}u;

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if i >= params.width {
        return;
    }
    // Element k of both: that of token t - LENGTH + 1 + k.
    {% for k in range(length) %}
    let tap_{{ k }} = taps[i * LENGTH + {{ k }}u];
    var x_{{ k }} = 0.0;
    {% endfor %}
    {% for k in range(1, length) %}
    if step.position >= {{ length - k }}u {
        x_{{ k }} = state[(step.position - {{ length - k }}u) % LENGTH * params.width + i];
    }
    {% endfor %}
    for (var t = 0u; t < step.count; t++) {
        {% for k in range(length - 1) %}
        x_{{ k }} = x_{{ k + 1 }};
        {% endfor %}
        x_{{ length - 1 }} = x[t * params.x_stride + params.x_first + i];
        let sum = {{ "bias[i] + " if bias }}{% for k in range(length) %}tap_{{ k }} * x_{{ k }}{{ " + " if not loop.last }}{% endfor %};
        out[t * params.width + i] = activation(sum, 0.0, 0.0);
    }
    let end = step.position + step.count;
    {% for k in range(1, length) %}
    if end >= {{ length - k }}u {
        state[(end - {{ length - k }}u) % LENGTH * params.width + i] = x_{{ k }};
    }
    {% endfor %}
}
