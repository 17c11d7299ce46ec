// The kernel of rms_norm.wgsl and layer_norm.wgsl:
//   out[r] = (x[r] - centre) / sqrt(mean((x[r] - centre)^2) + eps) * weight (+ bias) (+ out[r])
// where centre is the mean of x[r]; or 0, and then all of it is multiplied by `factor`.
//   x f32 [T, parts, columns]    weight f32 [columns] or [parts, columns]    bias f32 [columns]    out as x
// A row r is a part of a token; workgroup (token, part). Parameters: weighted, centred, bias, last (only the step's last
// token, written to row 0), accumulate, times (there is a number in a buffer that factor is multiplied by), quads (columns
// and weight_step are multiples of 4: elements are read four at a time), workgroup_size, subgroups.
{% set element = "vec4<f32>" if quads else "f32" %}
{% include "lib/step.wgsl" %}
struct Params {
    columns: u32,
    parts: u32,
    weight_step: u32,  // from the weights of a part to those of the next
    eps: f32,
    {% if not centred %}
    factor: f32,
    {% endif %}
}

var<uniform> params: Params;
var<uniform> step: Step;
var<storage, read> x: array<{{ element }}>;
{% if weighted %}
var<storage, read> weight: array<{{ element }}>;
{% endif %}
{% if times %}
var<storage, read> times: array<f32>;
{% endif %}
var<storage, read_write> out: array<{{ element }}>;
{% if bias %}
var<storage, read> bias: array<{{ element }}>;
{% endif %}

{% set reductions = ["sum"] %}
{% include "lib/reduce.wgsl" %}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    if group.x >= step.count {
        return;
    }
    let width = params.columns{{ " / 4u" if quads }};
    {% if last %}
    let from_row = ((step.count - 1u) * params.parts + group.y) * width;
    let to_row = group.y * width;
    {% else %}
    let from_row = (group.x * params.parts + group.y) * width;
    let to_row = from_row;
    {% endif %}
    {% if weighted %}
    let weights = group.y * params.weight_step{{ " / 4u" if quads }};
    {% endif %}
    {% if centred %}
    var total = 0.0;
    for (var i = lane; i < width; i += {{ workgroup_size }}u) {
        total += {{ "dot(x[from_row + i], vec4<f32>(1.0))" if quads else "x[from_row + i]" }};
    }
    let centre = workgroup_sum(total, lane) / f32(params.columns);
    {% endif %}
    var squares = 0.0;
    for (var i = lane; i < width; i += {{ workgroup_size }}u) {
        let value = x[from_row + i]{{ " - centre" if centred }};
        squares += {{ "dot(value, value)" if quads else "value * value" }};
    }
    let scale = inverseSqrt(workgroup_sum(squares, lane) / f32(params.columns) + params.eps);
    let factor = {{ "1.0" if centred else "params.factor" }}{{ " * times[0]" if times }};
    for (var i = lane; i < width; i += {{ workgroup_size }}u) {
        let value = x[from_row + i]{{ " - centre" if centred }};
        let scaled = value * scale{{ " * weight[weights + i]" if weighted }}{{ " + bias[i]" if bias }};
        out[to_row + i] = factor * {{ "(scaled + out[to_row + i])" if accumulate else "scaled" }};
    }
}
