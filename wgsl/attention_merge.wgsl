// The parts of attention.wgsl put together: each counts by its weights relative to the highest score of all.
//   parts f32 [T, heads, splits, head_dim + 2]    out f32 [T, heads, head_dim]
// Workgroup (head, t), an invocation a pair of elements. Parameters: head_dim (even, at most 512), splits.
{% include "lib/step.wgsl" %}
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> parts: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read_write> out: array<vec2<f32>>;

const SPLITS: u32 = {{ splits }}u;
const COLUMNS: u32 = {{ head_dim // 2 }}u;

@compute @workgroup_size({{ head_dim // 2 }})
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) column: u32,
) {
    if group.y >= step.count {
        return;
    }
    let head = group.y * groups.x + group.x;
    let first = head * SPLITS * (COLUMNS + 1u);
    var highest = parts[first + COLUMNS].x;
    for (var i = 1u; i < SPLITS; i++) {
        highest = max(highest, parts[first + i * (COLUMNS + 1u) + COLUMNS].x);
    }
    var total = 0.0;
    var value = vec2<f32>(0.0);
    for (var i = 0u; i < SPLITS; i++) {
        let part = first + i * (COLUMNS + 1u);
        let weight = exp(parts[part + COLUMNS].x - highest);
        total += weight * parts[part + COLUMNS].y;
        value += weight * parts[part + column];
    }
    out[head * COLUMNS + column] = value / total;
}
