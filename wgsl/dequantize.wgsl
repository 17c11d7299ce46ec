// Rows of a quantized matrix as plain numbers: out[first_out + n] = W[first + n].
//   weights: blocks of W [.., columns]    out f32 [.., columns]
// One invocation an octet. Parameters: type, tail (columns is no multiple of 8), shared_tables, workgroup_size.
struct Params {
    columns: u32,
    row_bytes: u32,
    rows: u32,
    first: u32,
    first_out: u32,
}

var<uniform> params: Params;
var<storage, read_write> out: array<{{ "f32" if tail else "vec4<f32>" }}>;

{% include "lib/octets.wgsl" %}
{% set accumulate = false %}
{% include "lib/store_quad.wgsl" %}
{% include "lib/workgroup_index.wgsl" %}

@compute @workgroup_size({{ workgroup_size }})
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = workgroup_index(group, groups) * {{ workgroup_size }}u + lane;
    let row = index / octets_of_row();
    let i = index % octets_of_row();
    if row >= params.rows {
        return;
    }
    let value = load_octet(params.first + row, i);
    let column = octet_column(i);
    store_quad(params.first_out + row, column, value.low);
    store_quad(params.first_out + row, column + HIGH, value.high);
}
