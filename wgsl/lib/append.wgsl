// Where queries, keys and values of a token go: queries to their buffer, keys and values to the cache. A kernel that
// includes this has params.heads and params.kv_heads. Parameters: q_binding (of q, k_cache is the next binding, v_cache
// the one after), head_dim, half (the cache is packed to half precision).
//   q f32 [T, heads, head_dim]    k_cache, v_cache [context, kv_heads, head_dim], pairs packed to u32 or f32
{% set pair = "u32" if half else "vec2<f32>" %}
@group(0) @binding({{ q_binding }}) var<storage, read_write> q: array<vec2<f32>>;
@group(0) @binding({{ q_binding + 1 }}) var<storage, read_write> k_cache: array<{{ pair }}>;
@group(0) @binding({{ q_binding + 2 }}) var<storage, read_write> v_cache: array<{{ pair }}>;

const HEAD_DIM: u32 = {{ head_dim }}u;

fn packed(pair: vec2<f32>) -> {{ pair }} {
    return {{ "pack2x16float(pair)" if half else "pair" }};
}

// Whether the head that has element `element` of a token is one of queries or keys.
fn is_rotated(element: u32) -> bool {
    return element < (params.heads + params.kv_heads) * HEAD_DIM;
}

// Elements `element` and `element + 1` of token `t` of a step, at `position`.
fn append(t: u32, position: u32, element: u32, pair: vec2<f32>) {
    let q_width = params.heads * HEAD_DIM;
    let kv_width = params.kv_heads * HEAD_DIM;
    if element < q_width {
        q[(t * q_width + element) / 2u] = pair;
    } else if element < q_width + kv_width {
        k_cache[(position * kv_width + element - q_width) / 2u] = packed(pair);
    } else {
        v_cache[(position * kv_width + element - q_width - kv_width) / 2u] = packed(pair);
    }
}
