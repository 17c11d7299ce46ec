// Selective scan of Mamba: of a channel i the state h [KEYS], and for each token, with d = softplus(dt[t, i]),
//   h[n] <- exp(d A[i, n]) h[n] + d x[t, i] B[t, n];  out[t, i] = sum_n h[n] C[t, n] + D[i] x[t, i]
//   x, dt f32 [T, x_stride], [T, dt_stride]: elements x_first .. x_first + width, and likewise    B, C f32 [T, b_stride],
//   [T, c_stride]: KEYS elements from b_first and c_first on    rates f32: A [width, KEYS], D [width], side by side
//   state f32 [KEYS, width]: h before the step; replaced by that at its end    out f32 [T, width]
// Before position 0 h is 0. One invocation a channel, which goes through the step's tokens. Parameters: keys,
// workgroup_size.
{% include "lib/step.wgsl" %}
struct Params {
    width: u32,
    x_first: u32,
    x_stride: u32,
    dt_first: u32,
    dt_stride: u32,
    b_first: u32,
    b_stride: u32,
    c_first: u32,
    c_stride: u32,
}

var<uniform> params: Params;
var<uniform> step: Step;
var<storage, read> x: array<f32>;
var<storage, read> dt: array<f32>;
var<storage, read> b: array<f32>;
var<storage, read> c: array<f32>;
var<storage, read> rates: array<f32>;
var<storage, read_write> state: array<f32>;
var<storage, read_write> out: array<f32>;

const KEYS: u32 = {{ keys }}u;

{% include "lib/softplus.wgsl" %}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if i >= params.width {
        return;
    }
    let skip = rates[params.width * KEYS + i];
    var rate: array<f32, KEYS>;
    var h: array<f32, KEYS>;
    {% for n in range(keys) %}
    rate[{{ n }}] = rates[i * KEYS + {{ n }}u];
    {% endfor %}
    if step.position > 0u {
        {% for n in range(keys) %}
        h[{{ n }}] = state[{{ n }}u * params.width + i];
        {% endfor %}
    }
    for (var t = 0u; t < step.count; t++) {
        let value = x[t * params.x_stride + params.x_first + i];
        let gain = softplus(dt[t * params.dt_stride + params.dt_first + i]);
        let taken = gain * value;
        let b_row = t * params.b_stride + params.b_first;
        let c_row = t * params.c_stride + params.c_first;
        var sum = 0.0;
        {% for n in range(keys) %}
        h[{{ n }}] = exp(gain * rate[{{ n }}]) * h[{{ n }}] + taken * b[b_row + {{ n }}u];
        sum += h[{{ n }}] * c[c_row + {{ n }}u];
        {% endfor %}
        out[t * params.width + i] = sum + skip * value;
    }
    {% for n in range(keys) %}
    state[{{ n }}u * params.width + i] = h[{{ n }}];
    {% endfor %}
}
