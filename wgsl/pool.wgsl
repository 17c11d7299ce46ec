// One row for each text of a step: the mean of the text's rows, its first or its last one.
//   x f32 [T, columns]    wholes vec2<u32> [T]: the rows of each text, from x on, before y; empty past the last text
//   out f32 [T, columns]; zeros past the last text
// One invocation a column of a text; workgroup (x, text). Parameters: kind ("mean", "cls", "last"), workgroup_size.
{% include "lib/step.wgsl" %}
struct Params {
    columns: u32,
}

var<uniform> params: Params;
var<uniform> step: Step;
var<storage, read> x: array<f32>;
var<storage, read> wholes: array<vec2<u32>>;
var<storage, read_write> out: array<f32>;

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let column = id.x;
    let text = id.y;
    if column >= params.columns || text >= step.count {
        return;
    }
    let rows = wholes[text];
    let count = rows.y - rows.x;
    var value = 0.0;
    if count > 0u {
        {% if kind == "mean" %}
        for (var row = rows.x; row < rows.y; row++) {
            value += x[row * params.columns + column];
        }
        value /= f32(count);
        {% else %}
        value = x[{{ "rows.x" if kind == "cls" else "(rows.y - 1u)" }} * params.columns + column];
        {% endif %}
    }
    out[text * params.columns + column] = value;
}
