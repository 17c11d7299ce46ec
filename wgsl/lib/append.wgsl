// Where queries, keys and values of a token go: queries to their buffer, keys and values to the cache. A kernel that
// includes this has params.heads and params.kv_heads. Parameters: head_dim, latent (above 0 there are no values), bits,
// block.
//   q f32 [T, heads, head_dim]    k_cache, v_cache [context, kv_heads, head_dim], by bits: 32, f32; 16, halves, pairs
//   packed to u32; 8 (head_dim is a multiple of `block`), blocks of as many elements: their largest magnitude as f32,
//   then the elements divided by it as snorm8, four packed to u32
{% set pair = "vec2<f32>" if bits == 32 else "u32" %}
var<storage, read_write> q: array<vec2<f32>>;
var<storage, read_write> k_cache: array<{{ pair }}>;
{% if not latent %}
var<storage, read_write> v_cache: array<{{ pair }}>;
{% endif %}

const HEAD_DIM: u32 = {{ head_dim }}u;

// Whether the head that has element `element` of a token is one of queries or keys.
fn is_rotated(element: u32) -> bool {
    return element < (params.heads + params.kv_heads) * HEAD_DIM;
}

{% if bits == 8 %}
const BLOCK: u32 = {{ block }}u; // elements
const BLOCK_WORDS: u32 = 1u + BLOCK / 4u;

var<workgroup> pairs: array<vec2<f32>, {{ workgroup_size }}>;

// Elements `element` and `element + 1` of token `t` of a step, at `position`. Each invocation of the workgroup calls it
// with the elements that follow those of the invocation before it; the first one's are those of a block's beginning.
fn append(t: u32, position: u32, element: u32, pair: vec2<f32>, lane: u32) {
    pairs[lane] = pair;
    workgroupBarrier();
    let q_width = params.heads * HEAD_DIM;
    let kv_width = params.kv_heads * HEAD_DIM;
    if element < q_width {
        q[(t * q_width + element) / 2u] = pair;
        return;
    }
    let in_block = lane % (BLOCK / 2u);
    var largest = 0.0;
    for (var i = 0u; i < BLOCK / 2u; i++) {
        let other = abs(pairs[lane - in_block + i]);
        largest = max(largest, max(other.x, other.y));
    }
    let four = select(vec4<f32>(pair, pairs[lane | 1u]) / largest, vec4<f32>(0.0), largest == 0.0);
    let word = select(pack4x8snorm(four), bitcast<u32>(largest), in_block == 1u);
    // Even invocations write a word, and the second of a block what all are divided by.
    if in_block % 2u == 0u || in_block == 1u {
        let in_kv = (element - q_width) % kv_width;
        let index = (position * kv_width + in_kv) / BLOCK * BLOCK_WORDS + select(1u + in_block / 2u, 0u, in_block == 1u);
        if element < q_width + kv_width {
            k_cache[index] = word;
        {% if not latent %}
        } else if element < q_width + 2u * kv_width {
            v_cache[index] = word;
        {% endif %}
        }
    }
}
{% else %}
fn packed(pair: vec2<f32>) -> {{ pair }} {
    return {{ "pack2x16float(pair)" if bits == 16 else "pair" }};
}

// Elements `element` and `element + 1` of token `t` of a step, at `position`.
fn append(t: u32, position: u32, element: u32, pair: vec2<f32>) {
    let q_width = params.heads * HEAD_DIM;
    let kv_width = params.kv_heads * HEAD_DIM;
    if element < q_width {
        q[(t * q_width + element) / 2u] = pair;
    } else if element < q_width + kv_width {
        k_cache[(position * kv_width + element - q_width) / 2u] = packed(pair);
    {% if not latent %}
    } else {
        v_cache[(position * kv_width + element - q_width - kv_width) / 2u] = packed(pair);
    {% endif %}
    }
}
{% endif %}
