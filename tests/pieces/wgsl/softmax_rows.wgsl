// One workgroup a row of x f32 [rows, columns]. To the row of y f32 [rows, columns + 3]: the row's softmax, then its
// highest, its sum, and the sum of its doubles (what is left in workgroup memory by one reduction is not in the next).
// Parameters: columns, workgroup_size, subgroups.
var<storage, read> x: array<f32>;
var<storage, read_write> y: array<f32>;

const COLUMNS: u32 = {{ columns }}u;

{% set reductions = ["sum", "max"] %}
{% set workgroup = true %}
{% include "lib/reduce.wgsl" %}
{% include "lib/softmax.wgsl" %}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let from_row = group.x * COLUMNS;
    let to_row = group.x * (COLUMNS + 3u);
    var own = SOFTMAX_EMPTY;
    var own_highest = SOFTMAX_EMPTY.highest;
    var own_sum = 0.0;
    for (var i = lane; i < COLUMNS; i += {{ workgroup_size }}u) {
        let score = x[from_row + i];
        own = softmax_add(own, score);
        own_highest = max(own_highest, score);
        own_sum += score;
    }
    let all = workgroup_softmax(own, lane);
    for (var i = lane; i < COLUMNS; i += {{ workgroup_size }}u) {
        y[to_row + i] = softmax_weight(all, x[from_row + i]);
    }
    let highest = workgroup_max(own_highest, lane);
    let sum = workgroup_sum(own_sum, lane);
    let doubled = workgroup_sum(2.0 * own_sum, lane);
    if lane == {{ workgroup_size - 1 }}u {
        y[to_row + COLUMNS] = highest;
        y[to_row + COLUMNS + 1u] = sum;
        y[to_row + COLUMNS + 2u] = doubled;
    }
}
