// Causal convolution of a sequence, channel by channel, with SiLU:
//   out[t, i] = silu(bias[i] + sum_k taps[i, k] x[t - LENGTH + 1 + k, i])
//   x f32 [T, x_stride], of which the channels are elements x_first .. x_first + width    taps f32 [width, LENGTH], of
//   the oldest element first    bias f32 [width]    out f32 [T, width]
//   state: lib/conv_state.wgsl; the rows of the LENGTH - 1 tokens before the step are read, those at its end written
// Workgroup (channels, TOKENS tokens): an invocation goes through the tokens of one channel. The invocations of the
// first tokens are the only ones that read the state, and so may write it. Parameters: length, bias, tokens,
// workgroup_size.
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
{% set conv_state, conv_width = "state", "params.width" %}
{% include "lib/conv_state.wgsl" %}

const TOKENS: u32 = {{ tokens }}u;

// Channel i of token t of the step.
fn channel(t: u32, i: u32) -> f32 {
    return x[t * params.x_stride + params.x_first + i];
}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    let first = id.y * TOKENS;
    if i >= params.width || first >= step.count {
        return;
    }
    // Element k of both: that of token t - LENGTH + 1 + k.
    {% for k in range(length) %}
    let tap_{{ k }} = taps[i * LENGTH + {{ k }}u];
    var x_{{ k }} = 0.0;
    {% endfor %}
    {% for k in range(1, length) %}
    if first >= {{ length - k }}u {
        x_{{ k }} = channel(first - {{ length - k }}u, i);
    } else {
        x_{{ k }} = before_step({{ length - k }}u - first, i);
    }
    {% endfor %}
    for (var t = first; t < min(first + TOKENS, step.count); t++) {
        {% for k in range(length - 1) %}
        x_{{ k }} = x_{{ k + 1 }};
        {% endfor %}
        x_{{ length - 1 }} = channel(t, i);
        let sum = {{ "bias[i] + " if bias }}{% for k in range(length) %}tap_{{ k }} * x_{{ k }}{{ " + " if not loop.last }}{% endfor %};
        out[t * params.width + i] = activation(sum, 0.0, 0.0);
    }
    if first > 0u {
        return;
    }
    // What stays of the step's own tokens; those before are in their rows already.
    for (var t = step.count - min(step.count, LENGTH - 1u); t < step.count; t++) {
        state[state_place(step.position + t, i)] = channel(t, i);
    }
}
