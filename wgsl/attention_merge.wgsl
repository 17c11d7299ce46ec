// The partials of attention_vector.wgsl put together: see lib/attention_partials.wgsl.
//   out f32 [T, heads, head_dim]
// Workgroup (head, t), an invocation a pair of elements. Parameters: head_dim (even), splits, workgroup_size (at least
// head_dim / 2).
{% include "lib/step.wgsl" %}
var<uniform> step: Step;
var<storage, read> partials: array<vec2<f32>>;
var<storage, read_write> out: array<vec2<f32>>;

{% set partials, merged_word = "partials", "vec2<f32>" %}
{% include "lib/attention_partials.wgsl" %}

const SPLITS: u32 = {{ splits }}u;
const PAIRS: u32 = {{ head_dim // 2 }}u; // of a head

@compute @workgroup_size({{ workgroup_size }})
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let t = workgroup.y;
    if t < step.count && lane < PAIRS {
        let heads = workgroups.x;
        let head = workgroup.x;
        let states = step.count * SPLITS * heads * PAIRS;
        let value = merged(
            (t * SPLITS * heads + head) * PAIRS + lane, heads * PAIRS, states + (t * heads + head) * SPLITS
        );
        out[(t * heads + head) * PAIRS + lane] = value;
    }
}
