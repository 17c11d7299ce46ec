// Gated short convolution over a sequence, as in LFM2: each channel is a causal filter of LENGTH taps of its own.
//   x f32 [T, 3 width]: gates b of what goes in, gates c of what comes out, values v    taps f32 [width, LENGTH]
//   state f32 [positions, width]: b v of every position; those before the step are read, those of the step written
//   out[t, i] = c[t, i] sum_k taps[i, LENGTH - 1 - k] (b v)[position + t - k, i]    out f32 [T, width]
// Before position 0 all is 0. One invocation an element; workgroup (x, token). Parameters: length, workgroup_size.
{% include "lib/step.wgsl" %}
struct Params {
    width: u32,
}

var<uniform> params: Params;
var<uniform> step: Step;
var<storage, read> x: array<f32>;
var<storage, read> taps: array<f32>;
var<storage, read_write> state: array<f32>;
var<storage, read_write> out: array<f32>;

const LENGTH: u32 = {{ length }}u;

// Element `i` of b v, of token `t` of the step.
fn product(t: u32, i: u32) -> f32 {
    let row = 3u * t * params.width;
    return x[row + i] * x[row + 2u * params.width + i];
}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    let t = id.y;
    if i >= params.width || t >= step.count {
        return;
    }
    let position = step.position + t;
    let now = product(t, i);
    state[position * params.width + i] = now;
    var sum = taps[(i + 1u) * LENGTH - 1u] * now;
    for (var back = 1u; back < min(LENGTH, position + 1u); back++) {
        // What other invocations of this run write is made anew rather than read.
        var before: f32;
        if back <= t {
            before = product(t - back, i);
        } else {
            before = state[(position - back) * params.width + i];
        }
        sum += taps[(i + 1u) * LENGTH - 1u - back] * before;
    }
    out[t * params.width + i] = x[(3u * t + 1u) * params.width + i] * sum;
}
