// Softmax of each row of a view: out[row, i] = exp(x[row, i] - max) / sum of those.
// One workgroup a row. Parameters: in_place (x is out), rank, workgroup_size, subgroups.
{% include "lib/each_row.wgsl" %}
struct Params {
    shape: vec4<u32>,
    out: View,
    x: View,
}

var<uniform> params: Params;
var<storage, read_write> out: array<f32>;
{% if not in_place %}
var<storage, read> x: array<f32>;
{% endif %}

{% set reductions = ["sum", "max"] %}
{% include "lib/reduce.wgsl" %}

const LOWEST: f32 = -3.4028234e38;
{% set x = "out" if in_place else "x" %}

fn row_main(row: vec4<u32>, lane: u32) {
    let columns = params.shape.w;
    let source = place(params.x, row);
    let target_row = place(params.out, row);
    var best = LOWEST;
    for (var i = lane; i < columns; i += {{ workgroup_size }}u) {
        best = max(best, {{ x }}[source + i * params.x.strides.w]);
    }
    let highest = workgroup_max(best, lane);
    var mass = 0.0;
    for (var i = lane; i < columns; i += {{ workgroup_size }}u) {
        mass += exp({{ x }}[source + i * params.x.strides.w] - highest);
    }
    let total = workgroup_sum(mass, lane);
    for (var i = lane; i < columns; i += {{ workgroup_size }}u) {
        let weight = exp({{ x }}[source + i * params.x.strides.w] - highest) / total;
        out[target_row + i * params.out.strides.w] = weight;
    }
}
