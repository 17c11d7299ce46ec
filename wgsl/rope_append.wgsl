// Rotary position embedding of a step's queries and keys, and the step's keys and values appended to the cache.
//   qkv f32 [T, (heads + 2 kv_heads) head_dim]: queries, keys, values
//   rotations vec2<f32> [context, rotary_dim / 2]: cosine and sine of each pair's angle at each position
//   q, k_cache, v_cache: see lib/append.wgsl
// One invocation makes two neighbouring elements. Workgroup (x over pairs of a token, t).
// Parameters: head_dim, rotary_dim, pairing (see lib/rotate.wgsl), half (the cache is packed to half precision),
// workgroup_size.
{% include "lib/step.wgsl" %}
struct Params {
    heads: u32,
    kv_heads: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: Step;
@group(0) @binding(2) var<storage, read> qkv: array<f32>;
@group(0) @binding(3) var<storage, read> rotations: array<vec2<f32>>;

{% set q_binding = 4 %}
{% include "lib/append.wgsl" %}

fn element_of(head: u32, element: u32) -> f32 {
    return qkv[head + element];
}

{% include "lib/rotated.wgsl" %}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let t = id.y;
    let element = 2u * id.x;
    let width = (params.heads + 2u * params.kv_heads) * HEAD_DIM;
    if t >= step.count || element >= width {
        return;
    }
    let position = step.position + t;
    let at = t * width + element;
    if is_rotated(element) {
        append(t, position, element, rotated(at - element % HEAD_DIM, element % HEAD_DIM, position));
    } else {
        append(t, position, element, vec2<f32>(qkv[at], qkv[at + 1u]));
    }
}
