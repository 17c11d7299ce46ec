// Rotary position embedding of a step's queries and keys, and the step's keys and values appended to the cache.
//   qkv f32 [T, row]: queries, keys, values: (heads + 2 kv_heads) head_dim elements; and others
//   rotations vec2<f32> [context, rotary_dim / 2]: cosine and sine of each pair's angle at each position
//   q, k_cache, v_cache: see lib/append.wgsl
//   positions u32 [T]: by which tokens are turned, where they don't follow one another
// One invocation makes two neighbouring elements. Workgroup (x over pairs of a token, t). With norm, heads are first scaled
// to a root mean square of 1, and a workgroup makes a head: (head, t).
//   norm_weights f32 [2, head_dim]: those of queries, then those of keys
// Parameters: head_dim, rotary_dim, pairing (see lib/rotate.wgsl), bits, positions, norm (not with 8 bits), norm_weights
// (else they are all 1), norm_values (these are scaled too, without weights), workgroup_size (a multiple of 16),
// subgroups.
{% include "lib/step.wgsl" %}
struct Params {
    heads: u32,
    kv_heads: u32,
    row: u32,
    {% if norm %}
    eps: f32,
    {% endif %}
}

var<uniform> params: Params;
var<uniform> step: Step;
var<storage, read> qkv: array<f32>;
var<storage, read> rotations: array<vec2<f32>>;
{% if positions %}
var<storage, read> positions: array<u32>;
{% endif %}

{% include "lib/append.wgsl" %}

{% if norm_weights %}
var<storage, read> norm_weights: array<f32>;
{% endif %}
{% if norm %}
{% set reductions = ["sum"] %}
{% include "lib/reduce.wgsl" %}

var<private> head_scale: f32;
var<private> first_weight: u32;

fn element_of(head: u32, element: u32) -> f32 {
    return qkv[head + element] * head_scale{{ " * norm_weights[first_weight + element]" if norm_weights }};
}
{% else %}
fn element_of(head: u32, element: u32) -> f32 {
    return qkv[head + element];
}
{% endif %}

{% include "lib/rotated.wgsl" %}
{% if norm %}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let t = workgroup.y;
    if t >= step.count {
        return;
    }
    let position = step.position + t;
    let start = workgroup.x * HEAD_DIM;
    let row = t * params.row + start;
    var squares = 0.0;
    for (var i = lane; i < HEAD_DIM; i += {{ workgroup_size }}u) {
        squares += qkv[row + i] * qkv[row + i];
    }
    head_scale = inverseSqrt(workgroup_sum(squares, lane) / f32(HEAD_DIM) + params.eps);
    first_weight = select(HEAD_DIM, 0u, workgroup.x < params.heads);
    for (var element = 2u * lane; element < HEAD_DIM; element += {{ 2 * workgroup_size }}u) {
        var pair = vec2<f32>(qkv[row + element], qkv[row + element + 1u]){{ " * head_scale" if norm_values }};
        if is_rotated(start) {
            pair = rotated(row, element, {{ "positions[t]" if positions else "position" }});
        }
        append(t, position, start + element, pair);
    }
}
{% else %}

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
        pair = rotated(index - element % HEAD_DIM, element % HEAD_DIM, {{ "positions[t]" if positions else "position" }});
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
{% endif %}
