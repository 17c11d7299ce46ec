// Rows of a (quantized) matrix, picked by the token ids of a step: out[t] = scale * W[tokens[position + t]] (+ out[t]);
// or by its positions: out[t] = scale * W[position + t] (+ out[t]).
//   tokens u32 [context]    weights: blocks of W [rows, columns], rows first_row .. first_row + rows of the whole
//   out    f32 [T, columns]
// Ids outside the rows given here are left to the dispatch that holds them. One invocation an octet of a row;
// workgroup (x, t). Parameters: type, tail (columns is no multiple of 8), shared_tables, tokens (ids pick the rows),
// accumulate, workgroup_size.
{% include "lib/step.wgsl" %}
struct Params {
    columns: u32,
    row_bytes: u32,
    first_row: u32,
    rows: u32,
    scale: f32,
}

var<uniform> params: Params;
var<uniform> step: Step;
{% if tokens %}
var<storage, read> tokens: array<u32>;
{% endif %}
var<storage, read_write> out: array<{{ "f32" if tail else "vec4<f32>" }}>;

{% include "lib/octets.wgsl" %}
{% include "lib/store_quad.wgsl" %}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let t = id.y;
    if t >= step.count || id.x >= octets_of_row() {
        return;
    }
    let position = step.position + t;
    let row = {{ "tokens[position]" if tokens else "position" }} - params.first_row;
    if row >= params.rows {
        return;
    }
    let value = load_octet(row, id.x);
    let column = octet_column(id.x);
    store_quad(t, column, params.scale * value.low);
    store_quad(t, column + HIGH, params.scale * value.high);
}
