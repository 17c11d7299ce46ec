// Linear attention (lib/linear_attention.wgsl) by chunks of tokens, the second part: from chunk to chunk, with what
// linear_attention_products.wgsl made of each. With M before a chunk, and K, Q, V of its tokens:
//   U = T (V - W K M) with the delta rule, else g V;  O = W Q M + P U (+ D V);  M <- w M + (E K)^T U
// where W, E and w are what has been forgotten since the chunk's begin, will be until its end, and is in all of it.
//   x f32 [T, x_stride]: queries, keys and values as of linear_attention_scan.wgsl
//   products: as linear_attention_products.wgsl has it    out f32 [T, heads, values]
// Workgroup (some of the values, head): a lane makes a quad of values of each of some tokens, from M in workgroup memory
// and keys and queries that come there a slice at a time; and then quads of M, of four keys at a time.
// Parameters: those of lib/linear_attention.wgsl, chunk, key_quads (quads of keys at a time), value_quads (of values),
// tokens (of a lane). 15.2 KiB of workgroup memory where keys x value_quads are 512.
{% include "lib/step.wgsl" %}
struct Params {
    heads: u32,
    key_heads: u32,
    values: u32,
    q_first: u32,
    k_first: u32,
    v_first: u32,
    x_stride: u32,
}

var<uniform> params: Params;
var<uniform> step: Step;
var<storage, read> x: array<f32>;
var<storage, read> products: array<vec4<f32>>;
{% include "lib/linear_attention.wgsl" %}
var<storage, read_write> state: array<f32>;
var<storage, read_write> out: array<f32>;

const CHUNK: u32 = {{ chunk }}u;
const ROW_QUADS: u32 = {{ 2 if delta else 1 }}u * CHUNK / 4u + 1u;
const KEY_QUADS: u32 = {{ key_quads }}u;
const SLICE: u32 = 4u * KEY_QUADS; // keys
const LINE: u32 = KEY_QUADS + 1u; // one more than a line holds: lines start in different memory banks
const VALUE_QUADS: u32 = {{ value_quads }}u;
const BANDS: u32 = CHUNK / {{ tokens }}u; // lanes for the tokens
const LANES: u32 = BANDS * VALUE_QUADS;

var<workgroup> memory: array<vec4<f32>, KEYS * VALUE_QUADS>; // M
// A slice of queries and then of keys; after them what is new in the values.
var<workgroup> lines: array<vec4<f32>, {{ [2 * chunk * (key_quads + 1), chunk * value_quads] | max }}>;
var<workgroup> writes: array<vec4<f32>, CHUNK * VALUE_QUADS>; // U
var<workgroup> ends: array<f32, CHUNK>; // E

// A quad of values of a token or key, of which `left` are left in a head; of x or the state.
{% macro load(buffer, at) %}
select(
    vec4<f32>(),
    vec4<f32>({{ buffer }}[{{ at }}], {{ buffer }}[{{ at }} + 1u], {{ buffer }}[{{ at }} + 2u], {{ buffer }}[{{ at }} + 3u]),
    vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(left),
)
{%- endmacro %}
{% macro store(buffer, at, quad) %}
{% for c in range(4) %}
if left > {{ c }}u {
    {{ buffer }}[{{ at }} + {{ c }}u] = {{ quad }}[{{ c }}];
}
{% endfor %}
{% endmacro %}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let head = group.y;
    let of_head = keys_of(head, params.heads, params.key_heads) * KEYS;
    let band = lane / VALUE_QUADS;
    let quad = lane % VALUE_QUADS;
    let value = 4u * (group.x * VALUE_QUADS + quad);
    let left = max(params.values, value) - value;
    let held = head * KEYS * params.values + value;
    for (var i = lane; i < KEYS * VALUE_QUADS; i += LANES) {
        var m = vec4<f32>();
        if step.position > 0u {
            let at = held + i / VALUE_QUADS * params.values;
            m = {{ load("state", "at") }};
        }
        memory[i] = m;
    }

    for (var first = 0u; first < step.count; first += CHUNK) {
        let count = min(CHUNK, step.count - first);
        let chunk = (first / CHUNK * params.heads + head) * CHUNK * ROW_QUADS;
        {% for t in range(tokens) %}
        let token_{{ t }} = band + {{ t }}u * BANDS;
        let row_{{ t }} = chunk + token_{{ t }} * ROW_QUADS;
        let scale_{{ t }} = products[row_{{ t }} + ROW_QUADS - 1u];
        var v_{{ t }} = vec4<f32>();
        if token_{{ t }} < count {
            let at = (first + token_{{ t }}) * params.x_stride + params.v_first + head * params.values + value;
            v_{{ t }} = {{ load("x", "at") }};
        }
        var o_{{ t }} = vec4<f32>(); // Q M
        var u_{{ t }} = vec4<f32>(); // K M
        {% endfor %}
        // A slice is read while the one before it is at work.
        for (var key = 0u; key <= KEYS; key += SLICE) {
            {% for n in range(2 * tokens * key_quads // value_quads) %}
            let line_{{ n }} = (lane + {{ n }}u * LANES) / KEY_QUADS;
            let place_{{ n }} = (lane + {{ n }}u * LANES) % KEY_QUADS;
            var next_{{ n }} = vec4<f32>();
            if key < KEYS && line_{{ n }} % CHUNK < count {
                let begin = select(params.q_first, params.k_first, line_{{ n }} >= CHUNK) + of_head + key;
                let at = (first + line_{{ n }} % CHUNK) * params.x_stride + begin + 4u * place_{{ n }};
                next_{{ n }} = vec4<f32>(x[at], x[at + 1u], x[at + 2u], x[at + 3u]);
            }
            {% endfor %}
            for (var i = 0u; i < select(KEY_QUADS, 0u, key == 0u); i++) {
                {% for n in range(4) %}
                let m_{{ n }} = memory[(key - SLICE + 4u * i + {{ n }}u) * VALUE_QUADS + quad];
                {% endfor %}
                {% for t in range(tokens) %}
                let q_{{ t }} = lines[token_{{ t }} * LINE + i];
                o_{{ t }} += q_{{ t }}.x * m_0 + q_{{ t }}.y * m_1 + q_{{ t }}.z * m_2 + q_{{ t }}.w * m_3;
                {% if delta %}
                let k_{{ t }} = lines[(CHUNK + token_{{ t }}) * LINE + i];
                u_{{ t }} += k_{{ t }}.x * m_0 + k_{{ t }}.y * m_1 + k_{{ t }}.z * m_2 + k_{{ t }}.w * m_3;
                {% endif %}
                {% endfor %}
            }
            workgroupBarrier();
            {% for n in range(2 * tokens * key_quads // value_quads) %}
            lines[line_{{ n }} * LINE + place_{{ n }}] = next_{{ n }};
            {% endfor %}
            workgroupBarrier();
        }
        {% macro product(made, rows, first_quad) %}
        for (var i = 0u; i < CHUNK / 4u; i++) {
            {% for n in range(4) %}
            let r_{{ n }} = {{ rows }}[(4u * i + {{ n }}u) * VALUE_QUADS + quad];
            {% endfor %}
            {% for t in range(tokens) %}
            let p_{{ t }} = products[row_{{ t }} + {{ first_quad }} + i];
            {{ made }}_{{ t }} += p_{{ t }}.x * r_0 + p_{{ t }}.y * r_1 + p_{{ t }}.z * r_2 + p_{{ t }}.w * r_3;
            {% endfor %}
        }
        {% endmacro %}
        {% if delta %}
        {% for t in range(tokens) %}
        lines[token_{{ t }} * VALUE_QUADS + quad] = v_{{ t }} - scale_{{ t }}.y * u_{{ t }};
        u_{{ t }} = vec4<f32>();
        {% endfor %}
        workgroupBarrier();
        {{ product("u", "lines", "CHUNK / 4u") }}
        {% else %}
        {% for t in range(tokens) %}
        u_{{ t }} = scale_{{ t }}.y * v_{{ t }};
        {% endfor %}
        {% endif %}
        {% for t in range(tokens) %}
        writes[token_{{ t }} * VALUE_QUADS + quad] = u_{{ t }};
        ends[token_{{ t }}] = scale_{{ t }}.z;
        o_{{ t }} *= scale_{{ t }}.x;
        {% endfor %}
        workgroupBarrier();
        {{ product("o", "writes", "0u") }}
        {% for t in range(tokens) %}
        if token_{{ t }} < count {
            {% if skip %}
            o_{{ t }} += skip_of(head, params.heads) * v_{{ t }};
            {% endif %}
            let to = ((first + token_{{ t }}) * params.heads + head) * params.values + value;
            {{ store("out", "to", "o_%d" % t) }}
        }
        {% endfor %}

        let forgotten = products[chunk + CHUNK * ROW_QUADS - 1u].w;
        for (var i = lane; i < KEYS / 4u * VALUE_QUADS; i += LANES) {
            let key = i / VALUE_QUADS * 4u;
            {% for n in range(4) %}
            var m_{{ n }} = forgotten * memory[(key + {{ n }}u) * VALUE_QUADS + quad];
            {% endfor %}
            for (var j = 0u; j < count; j++) {
                let at = (first + j) * params.x_stride + params.k_first + of_head + key;
                let u = ends[j] * writes[j * VALUE_QUADS + quad];
                {% for n in range(4) %}
                m_{{ n }} += x[at + {{ n }}u] * u;
                {% endfor %}
            }
            {% for n in range(4) %}
            memory[(key + {{ n }}u) * VALUE_QUADS + quad] = m_{{ n }};
            {% endfor %}
        }
    }
    workgroupBarrier();
    for (var i = lane; i < KEYS * VALUE_QUADS; i += LANES) {
        let m = memory[i];
        let to = held + i / VALUE_QUADS * params.values;
        {{ store("state", "to", "m") }}
    }
}
