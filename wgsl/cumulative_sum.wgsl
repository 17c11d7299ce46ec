// Running sums of each row of a view: out[row, i] = x[row, 0] + .. + x[row, i].
// One workgroup a row; it adds up workgroup_size elements at a time, in log2(workgroup_size) rounds (Hillis and Steele,
// "Data parallel algorithms", Communications of the ACM 29 (12), 1986). Parameters: rank, workgroup_size.
{% include "lib/each_row.wgsl" %}
struct Params {
    shape: vec4<u32>,
    out: View,
    x: View,
}

var<uniform> params: Params;
var<storage, read_write> out: array<f32>;
var<storage, read> x: array<f32>;

const TILE: u32 = {{ workgroup_size }}u;

var<workgroup> sums: array<f32, TILE>;

fn row_main(row: vec4<u32>, lane: u32) {
    let columns = params.shape.w;
    let from_x = place(params.x, row);
    let to_row = place(params.out, row);
    var before = 0.0;
    for (var start = 0u; start < columns; start += TILE) {
        let i = start + lane;
        var sum = 0.0;
        if i < columns {
            sum = x[from_x + i * params.x.strides.w];
        }
        for (var distance = 1u; distance < TILE; distance <<= 1u) {
            sums[lane] = sum;
            workgroupBarrier();
            if lane >= distance {
                sum += sums[lane - distance];
            }
            workgroupBarrier();
        }
        sums[lane] = sum;
        workgroupBarrier();
        if i < columns {
            out[to_row + i * params.out.strides.w] = before + sum;
        }
        before += sums[TILE - 1u];
        workgroupBarrier();
    }
}
