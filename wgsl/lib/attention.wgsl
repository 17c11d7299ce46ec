// What the attention kernels share: their bindings, and queries, keys and values read in pieces, elements past head_dim
// being zeros. A row of a cache is a head of a position: row = position * kv_heads + head.
// A causal token sees the positions up to its own, another one all of the step's too. With a window, it sees only those
// less than `window` away from its own. With spans, a step takes several texts from position 0 on, one behind the other:
//   spans vec2<u32> [T]: the rows of the text that a row belongs to, from x on, before y; it sees no others
// With a soft cap c, a score s becomes c tanh(s / c) (Gemma 2, arXiv:2408.00118); with alibi, it loses with the distance
// (arXiv:2108.12409); with sinks, the softmax has one more score for each head, which has no value (gpt-oss,
// arXiv:2508.10925; as the attention sinks of arXiv:2309.17453).
// With latents, a value is the first `latent` elements of its key (DeepSeek-V2, arXiv:2405.04434): there is no v_cache.
// Parameters: head_dim (even), latent (even; 0: values are as long as keys), bits and block (of the cache, see
// lib/append.wgsl), causal, window, spans, soft_cap, alibi, sinks.
{% include "lib/step.wgsl" %}
struct Params {
    heads: u32,
    kv_heads: u32,
    scale: f32,
    window: u32,
    soft_cap: f32,
    alibi: f32,
}

struct Octet {
    low: vec4<f32>,
    high: vec4<f32>,
}

const HEAD_DIM: u32 = {{ head_dim }}u;
const OCTETS: u32 = {{ (head_dim + 7) // 8 }}u; // of a query or key
const QUADS: u32 = 2u * OCTETS;
const VALUE_DIM: u32 = {{ latent or head_dim }}u;
const VALUE_OCTETS: u32 = {{ ((latent or head_dim) + 7) // 8 }}u;
const VALUE_QUADS: u32 = 2u * VALUE_OCTETS;
const LOWEST: f32 = -3.4028234e38;

{% set octet_word = "vec4<u32>" if bits == 16 else "vec4<f32>" %}
{% set pair_word = "u32" if bits == 16 else "vec2<f32>" %}
{% set cache_word = "u32" if bits == 8 else octet_word if head_dim % 8 == 0 else pair_word %}
var<uniform> params: Params;
var<uniform> step: Step;
var<storage, read> q: array<vec2<f32>>;
var<storage, read> k_cache: array<{{ cache_word }}>;
{% if not latent %}
var<storage, read> v_cache: array<{{ cache_word }}>;
{% endif %}
var<storage, read_write> out: array<vec2<f32>>;
{% if sinks %}
var<storage, read> sinks: array<f32>;
{% endif %}
{% if spans %}
var<storage, read> spans: array<vec2<u32>>;
{% endif %}

// The positions that token t of the step sees: from x on, before y.
fn seen(t: u32) -> vec2<u32> {
    let own = step.position + t;
    let text = {{ "spans[t]" if spans else "vec2<u32>(0u, step.position + step.count)" }};
    let begin = {{ "max(text.x, own + 1u - min(own + 1u, params.window))" if window else "text.x" }};
    let end = {{ "own + 1u" if causal else "min(text.y, own + params.window)" if window else "text.y" }};
    return vec2<u32>(begin, end);
}

// Quad `quad` of the query that starts at pair `at`, scaled.
fn query_quad(origin: u32, quad: u32) -> vec4<f32> {
    let first = 2u * quad;
    let low = select(vec2<f32>(0.0), q[origin + min(first, HEAD_DIM / 2u - 1u)], first < HEAD_DIM / 2u);
    let high = select(vec2<f32>(0.0), q[origin + min(first + 1u, HEAD_DIM / 2u - 1u)], first + 1u < HEAD_DIM / 2u);
    return params.scale * vec4<f32>(low, high);
}

// Writes quad `quad` of the output that starts at pair `origin`.
fn store_quad(origin: u32, quad: u32, value: vec4<f32>) {
    if 2u * quad < VALUE_DIM / 2u {
        out[origin + 2u * quad] = value.xy;
    }
    if 2u * quad + 1u < VALUE_DIM / 2u {
        out[origin + 2u * quad + 1u] = value.zw;
    }
}

{% if soft_cap %}
{% include "lib/tanh.wgsl" %}

fn capped(score: f32) -> f32 {
    return params.soft_cap * stable_tanh(score / params.soft_cap);
}
{% else %}
fn capped(score: f32) -> f32 {
    return score;
}
{% endif %}
{% if alibi %}

// What a head's scores lose with each position of distance. Of as many heads as a power of two has, it goes down evenly,
// as a power of two, to 2^-alibi; that of the other heads lies between the first of these.
fn slope(head: u32) -> f32 {
    let even = 1u << firstLeadingBit(params.heads);
    let place = select(f32(head) - f32(even) + 0.5, f32(head + 1u), head < even);
    return exp2(-params.alibi * place / f32(even));
}
{% endif %}
{% for cache in (["k"] if latent else ["k", "v"]) %}
{% if bits == 8 %}

fn {{ cache }}_octet(row: u32, octet: u32) -> Octet {
    let block = {{ 1 + block // 4 }}u * ((row * OCTETS + octet) / {{ block // 8 }}u);
    let index = block + 1u + 2u * (octet % {{ block // 8 }}u);
    let largest = bitcast<f32>({{ cache }}_cache[block]);
    let low = unpack4x8snorm({{ cache }}_cache[index]);
    let high = unpack4x8snorm({{ cache }}_cache[index + 1u]);
    return Octet(largest * low, largest * high);
}
{% elif head_dim % 8 == 0 and bits == 16 %}

fn {{ cache }}_octet(row: u32, octet: u32) -> Octet {
    let word = {{ cache }}_cache[row * OCTETS + octet];
    return Octet(
        vec4<f32>(unpack2x16float(word.x), unpack2x16float(word.y)),
        vec4<f32>(unpack2x16float(word.z), unpack2x16float(word.w)),
    );
}
{% elif head_dim % 8 == 0 %}

fn {{ cache }}_octet(row: u32, octet: u32) -> Octet {
    let index = 2u * (row * OCTETS + octet);
    return Octet({{ cache }}_cache[index], {{ cache }}_cache[index + 1u]);
}
{% else %}

fn {{ cache }}_pair(row: u32, pair: u32) -> vec2<f32> {
    if pair >= HEAD_DIM / 2u {
        return vec2<f32>(0.0);
    }
    let word = {{ cache }}_cache[row * (HEAD_DIM / 2u) + pair];
    return {{ "unpack2x16float(word)" if bits == 16 else "word" }};
}

fn {{ cache }}_octet(row: u32, octet: u32) -> Octet {
    let first = 4u * octet;
    return Octet(
        vec4<f32>({{ cache }}_pair(row, first), {{ cache }}_pair(row, first + 1u)),
        vec4<f32>({{ cache }}_pair(row, first + 2u), {{ cache }}_pair(row, first + 3u)),
    );
}
{% endif %}
{% endfor %}
{% if latent %}

fn v_octet(row: u32, octet: u32) -> Octet {
    return k_octet(row, octet); // elements past the value are not written
}
{% endif %}
