// What shares of the columns make of a product (linear_tile.wgsl), put together:
//   out[t, first + n] = sum_s parts[s, t, n] (* row_scale[first + n]) (+ bias[first + n]) (+ out[t, first + n])
//   parts f32 [splits, T, rows]    out f32 [T, width]    row_scale, bias f32 [width]
// Workgroup (rows, t). Parameters: splits, row_scale, bias, accumulate, workgroup_size.
{% include "lib/step.wgsl" %}
struct Params {
    rows: u32,
    first: u32,
    width: u32,
}

var<uniform> params: Params;
var<uniform> step: Step;
var<storage, read> parts: array<f32>;
var<storage, read_write> out: array<f32>;
{% if row_scale %}
var<storage, read> row_scale: array<f32>;
{% endif %}
{% if bias %}
var<storage, read> bias: array<f32>;
{% endif %}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let n = id.x;
    let t = id.y;
    if n >= params.rows || t >= step.count {
        return;
    }
    var sum = 0.0;
    {% for s in range(splits) %}
    sum += parts[({{ s }}u * step.count + t) * params.rows + n];
    {% endfor %}
    let column = params.first + n;
    let element = t * params.width + column;
    out[element] = sum{{ " * row_scale[column]" if row_scale }}{{ " + bias[column]" if bias }}{{ " + out[element]" if accumulate }};
}
