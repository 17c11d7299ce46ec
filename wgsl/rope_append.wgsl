// Rotary position embedding of a step's queries and keys, and the step's keys and values appended to the cache.
//   qkv f32 [T, row]: queries, keys, values: (heads + 2 kv_heads) head_dim elements; and others
//   rotations vec2<f32> [context, rotary_dim / 2]: cosine and sine of each pair's angle at each position
//   q, k_cache, v_cache: see lib/append.wgsl
// One invocation makes two neighbouring elements. Workgroup (x over pairs of a token, t).
// Parameters: head_dim, rotary_dim, pairing (see lib/rotate.wgsl), bits, workgroup_size (a multiple of 16).
{% include "lib/step.wgsl" %}
struct Params {
    heads: u32,
    kv_heads: u32,
    row: u32,
}

var<uniform> params: Params;
var<uniform> step: Step;
var<storage, read> qkv: array<f32>;
var<storage, read> rotations: array<vec2<f32>>;

{% include "lib/append.wgsl" %}

fn element_of(head: u32, element: u32) -> f32 {
    return qkv[head + element];
}

{% include "lib/rotated.wgsl" %}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let t = workgroup.y;
    let element = 2u * (workgroup.x * {{ workgroup_size }}u + lane);
    let width = (params.heads + 2u * params.kv_heads) * HEAD_DIM;
    if t >= step.count {
        return;
    }
    let position = step.position + t;
    let index = t * params.row + element;
    var pair = vec2<f32>(0.0);
    if is_rotated(element) {
        pair = rotated(index - element % HEAD_DIM, element % HEAD_DIM, position);
    } else if element < width {
        pair = vec2<f32>(qkv[index], qkv[index + 1u]);
    }
    {% if bits == 8 %}
    append(t, position, element, pair, lane);
    {% else %}
    if element < width {
        append(t, position, element, pair);
    }
    {% endif %}
}
