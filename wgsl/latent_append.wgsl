// What latent attention needs of a step: latents normed and appended to the cache, with what is rotated of keys behind
// them; and what is rotated of queries.
//   queries f32 [T, heads, nope + pe]: of each head the last pe elements are read
//   kv f32 [T, latent + pe]: both are columns of longer rows (first, stride)    norm_weight f32 [latent]
//   rotations vec2<f32> [context, rotary_dim / 2]: cosine and sine of each pair's angle at each position
//   q f32 [T, heads, latent + pe]: of each head the last pe elements are written
//   k_cache [context, latent + pe]: see lib/append.wgsl
// Workgroup (x, t): head x of the queries, or the key, which comes last. An invocation makes two neighbouring elements.
// Parameters: head_dim (latent + pe), latent (even), rotary_dim, pairing (see lib/rotate.wgsl), bits, block,
// workgroup_size (a power of two, a multiple of 16), subgroups.
{% include "lib/step.wgsl" %}
struct Params {
    heads: u32,
    kv_heads: u32,
    nope: u32,
    queries_first: u32,
    queries_stride: u32,
    kv_first: u32,
    kv_stride: u32,
    eps: f32,
}

var<uniform> params: Params;
var<uniform> step: Step;
var<storage, read> queries: array<f32>;
var<storage, read> kv: array<f32>;
var<storage, read> norm_weight: array<f32>;
var<storage, read> rotations: array<vec2<f32>>;

{% include "lib/append.wgsl" %}
{% set reductions = ["sum"] %}
{% include "lib/reduce.wgsl" %}

const LATENT: u32 = {{ latent }}u;
const PE: u32 = HEAD_DIM - LATENT;
const ELEMENTS: u32 = {{ 2 * workgroup_size }}u; // of a workgroup at a time

var<private> is_key: bool;

fn element_of(head: u32, element: u32) -> f32 {
    if is_key {
        return kv[head + element];
    }
    return queries[head + element];
}

{% include "lib/rotated.wgsl" %}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let t = group.y;
    if t >= step.count {
        return;
    }
    let position = step.position + t;
    let is_last = group.x == params.heads;
    is_key = is_last;
    if !is_last {
        let token = params.queries_first + t * params.queries_stride;
        let from_head = token + group.x * (params.nope + PE) + params.nope;
        let to_head = (t * params.heads + group.x) * HEAD_DIM + LATENT;
        for (var i = 2u * lane; i < PE; i += ELEMENTS) {
            q[(to_head + i) / 2u] = rotated(from_head, i, position);
        }
        return;
    }
    let row = params.kv_first + t * params.kv_stride;
    var squares = 0.0;
    for (var i = lane; i < LATENT; i += {{ workgroup_size }}u) {
        squares += kv[row + i] * kv[row + i];
    }
    let scale = inverseSqrt(workgroup_sum(squares, lane) / f32(LATENT) + params.eps);
    for (var first = 0u; first < HEAD_DIM; first += ELEMENTS) {
        let i = first + 2u * lane;
        var pair = vec2<f32>(0.0);
        if i < LATENT {
            pair = scale * vec2<f32>(kv[row + i] * norm_weight[i], kv[row + i + 1u] * norm_weight[i + 1u]);
        } else if i < HEAD_DIM {
            pair = rotated(row + LATENT, i - LATENT, position);
        }
        {% if bits == 8 %}
        append(t, position, params.heads * HEAD_DIM + i, pair, lane);
        workgroupBarrier();
        {% else %}
        if i < HEAD_DIM {
            append(t, position, params.heads * HEAD_DIM + i, pair);
        }
        {% endif %}
    }
}
