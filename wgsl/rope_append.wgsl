// Rotary position embedding of a step's queries and keys, and the step's keys and values appended to the cache.
//   qkv f32 [T, (heads + 2 kv_heads) head_dim]: queries, keys, values
//   rotations vec2<f32> [context, rotary_dim / 2]: cosine and sine of each pair's angle at each position
//   q f32 [T, heads, head_dim]    k_cache, v_cache [context, kv_heads, head_dim], pairs packed to u32 or f32
// One invocation makes two neighbouring elements. Workgroup (x over pairs of a token, t).
// Parameters: head_dim, rotary_dim (elements rotated, from the first on), pairing ("norm": element 2i with 2i + 1,
// "neox": element i with i + rotary_dim / 2), half (the cache is packed to half precision), workgroup_size.
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
const ROTARY_PAIRS: u32 = {{ rotary_dim // 2 }}u;

fn packed(pair: vec2<f32>) -> {{ "u32" if half else "vec2<f32>" }} {
    return {{ "pack2x16float(pair)" if half else "pair" }};
}

// Elements `element` and `element + 1` of the head that starts at `head`, rotated.
fn rotated(head: u32, element: u32, position: u32) -> vec2<f32> {
    let pair = vec2<f32>(qkv[head + element], qkv[head + element + 1u]);
    if element >= 2u * ROTARY_PAIRS {
        return pair;
    }
    let angles = position * ROTARY_PAIRS;
    {% if pairing == "norm" %}
    let r = rotations[angles + element / 2u];
    return vec2<f32>(pair.x * r.x - pair.y * r.y, pair.x * r.y + pair.y * r.x);
    {% else %}
    let is_first = element < ROTARY_PAIRS;
    let other = head + select(element - ROTARY_PAIRS, element + ROTARY_PAIRS, is_first);
    let partners = select(1.0, -1.0, is_first) * vec2<f32>(qkv[other], qkv[other + 1u]);
    let r0 = rotations[angles + element % ROTARY_PAIRS];
    let r1 = rotations[angles + (element + 1u) % ROTARY_PAIRS];
    return pair * vec2<f32>(r0.x, r1.x) + partners * vec2<f32>(r0.y, r1.y);
    {% endif %}
}

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
