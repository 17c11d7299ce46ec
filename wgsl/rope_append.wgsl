// Rotary position embedding of a step's queries and keys, and the step's keys and values appended to the cache.
//   qkv f32 [T, (heads + 2 kv_heads) head_dim]: queries, keys, values
//   rotations vec2<f32> [context, rotary_dim / 2]: cosine and sine of each pair's angle at each position
//   q f32 [T, heads, head_dim]    k_cache, v_cache [context, kv_heads, head_dim], pairs packed to u32 or f32
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
@group(0) @binding(4) var<storage, read_write> q: array<vec2<f32>>;
@group(0) @binding(5) var<storage, read_write> k_cache: array<{{ "u32" if half else "vec2<f32>" }}>;
@group(0) @binding(6) var<storage, read_write> v_cache: array<{{ "u32" if half else "vec2<f32>" }}>;

const HEAD_DIM: u32 = {{ head_dim }}u;

fn packed(pair: vec2<f32>) -> {{ "u32" if half else "vec2<f32>" }} {
    return {{ "pack2x16float(pair)" if half else "pair" }};
}

fn element_of(head: u32, element: u32) -> f32 {
    return qkv[head + element];
}

{% include "lib/rotate.wgsl" %}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let t = id.y;
    let element = 2u * id.x;
    let q_width = params.heads * HEAD_DIM;
    let kv_width = params.kv_heads * HEAD_DIM;
    let width = q_width + 2u * kv_width;
    if t >= step.count || element >= width {
        return;
    }
    let position = step.position + t;
    let head = t * width + element - element % HEAD_DIM;
    if element < q_width {
        q[(t * q_width + element) / 2u] = rotated(head, element % HEAD_DIM, position);
    } else if element < q_width + kv_width {
        k_cache[(position * kv_width + element - q_width) / 2u] = packed(rotated(head, element % HEAD_DIM, position));
    } else {
        let at = t * width + element;
        v_cache[(position * kv_width + element - q_width - kv_width) / 2u] = packed(vec2<f32>(qkv[at], qkv[at + 1u]));
    }
}
