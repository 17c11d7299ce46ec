// Statistical top-k of rows, where they are: of the elements of a row, what is left is by how much they exceed their mean
// by more than so many standard deviations.
//   x f32 [T, stride]: rows of `columns` elements, and what is not looked at
//   x[t, i] = max(x[t, i] - (mean of x[t] + deviations * standard deviation of x[t]), 0)
// One workgroup a token. Parameters: workgroup_size, subgroups.
{% include "lib/step.wgsl" %}
struct Params {
    columns: u32,
    stride: u32,
    deviations: f32,
}

var<uniform> params: Params;
var<uniform> step: Step;
var<storage, read_write> x: array<f32>;

{% set reductions = ["sum"] %}
{% include "lib/reduce.wgsl" %}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    if group.x >= step.count {
        return;
    }
    let row = group.x * params.stride;
    let count = f32(params.columns);
    var total = 0.0;
    for (var i = lane; i < params.columns; i += {{ workgroup_size }}u) {
        total += x[row + i];
    }
    let mean = workgroup_sum(total, lane) / count;
    var squares = 0.0;
    for (var i = lane; i < params.columns; i += {{ workgroup_size }}u) {
        let distance = x[row + i] - mean;
        squares += distance * distance;
    }
    let least = mean + params.deviations * sqrt(workgroup_sum(squares, lane) / count);
    for (var i = lane; i < params.columns; i += {{ workgroup_size }}u) {
        x[row + i] = max(x[row + i] - least, 0.0);
    }
}
