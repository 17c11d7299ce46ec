// A reduction of each row of a view: out[row] = combined over i of x[row, i] (of its square, of x[row, i] y[row, i]).
// One workgroup a row. Parameters: kind ("sum", "product", "min", "max", "squared_norm", "dot"), rank (of x),
// workgroup_size, subgroups.
{% include "lib/each_row.wgsl" %}
struct Params {
    shape: vec4<u32>,
    out: View,
    x: View,
    y: View,
}

var<uniform> params: Params;
var<storage, read_write> out: array<f32>;
var<storage, read> x: array<f32>;
{% if kind == "dot" %}
var<storage, read> y: array<f32>;
{% endif %}

{% set reduction = "sum" if kind in ["squared_norm", "dot"] else kind %}
{% set reductions = [reduction] %}
{% include "lib/reduce.wgsl" %}

const START: f32 = {{ {"sum": "0.0", "product": "1.0", "max": "-3.4028234e38", "min": "3.4028234e38"}[reduction] }};

fn row_main(row: vec4<u32>, lane: u32) {
    let columns = params.shape.w;
    let from_x = place(params.x, row);
    {% if kind == "dot" %}
    let from_y = place(params.y, row);
    {% endif %}
    var total = START;
    for (var i = lane; i < columns; i += {{ workgroup_size }}u) {
        let value = x[from_x + i * params.x.strides.w];
        {% if kind == "dot" %}
        total += value * y[from_y + i * params.y.strides.w];
        {% elif kind == "squared_norm" %}
        total += value * value;
        {% else %}
        total = {{ reduction }}_pair(total, value);
        {% endif %}
    }
    let result = workgroup_{{ reduction }}(total, lane);
    if lane == 0u {
        out[place(params.out, row)] = result;
    }
}
