// The parts of attention_vector.wgsl put together: each counts by its weights relative to the highest score of all.
//   parts f32 [T, heads, splits, head_dim + 2]    out f32 [T, heads, head_dim]
// Workgroup (head, t), an invocation a pair of elements. Parameters: head_dim (even, at most 512), splits,
// workgroup_size (at least head_dim / 2).
{% include "lib/step.wgsl" %}
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> parts: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read_write> out: array<vec2<f32>>;

const SPLITS: u32 = {{ splits }}u;
const COLUMNS: u32 = {{ head_dim // 2 }}u;
const PART: u32 = COLUMNS + 1u;

var<workgroup> states: array<vec2<f32>, SPLITS>; // of each part: the highest score, the sum of weights

@compute @workgroup_size({{ workgroup_size }})
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    if workgroup.y >= step.count {
        return;
    }
    let head = workgroup.y * workgroups.x + workgroup.x;
    let first = head * SPLITS * PART;
    for (var i = lane; i < SPLITS; i += {{ workgroup_size }}u) {
        states[i] = parts[first + i * PART + COLUMNS];
    }
    // All are read at once, before anything waits for them.
    let column = min(lane, COLUMNS - 1u);
    {% for i in range(splits) %}
    let part_{{ i }} = parts[first + {{ i }}u * PART + column];
    {% endfor %}
    workgroupBarrier();
    var highest = states[0].x;
    for (var i = 1u; i < SPLITS; i++) {
        highest = max(highest, states[i].x);
    }
    var total = 0.0;
    var value = vec2<f32>(0.0);
    {% for i in range(splits) %}
    let weight_{{ i }} = exp(states[{{ i }}].x - highest);
    total += weight_{{ i }} * states[{{ i }}].y;
    value += weight_{{ i }} * part_{{ i }};
    {% endfor %}
    if lane < COLUMNS {
        out[head * COLUMNS + lane] = value / total;
    }
}
