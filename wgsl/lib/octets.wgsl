// Rows of quantized weights, and of activations as long as they, eight elements (an octet) at a time.
// A piece of quant/ says how to read a type; the octets of a block come in spans of SPAN that share their scales:
//   element = scale * value + summand, where load_scales gives (scale, summand) of the low runs, then of the high runs
// It sets for its includer: span; summands, whether they can be other than 0; table, whether prepare_table must be
// called before anything is read; bytes, what load_bytes gives: "signed" values, "unsigned" ones (below 128), or nibbles
// that stand for those of a "table"; false: it has load_values instead. Plain numbers, which alone can have a tail, have
// no scales.
// Binds `weights`, and of types with a codebook `grid`. Reads params.columns and params.row_bytes. Parameters: type (a
// piece of quant/), tail (columns is no multiple of 8: elements past the end of a row read as 0 and are not written),
// shared_tables (codebooks and the like are copied to workgroup memory, by prepare_table).
{% import "quant/" ~ type ~ ".wgsl" as quant with context %}
{% include "quant/" ~ type ~ ".wgsl" %}

{% if quant.bytes %}
// What the bytes of an octet stand for.
fn values_of(bytes: vec2<u32>) -> Octet {
    {% set convert = {"signed": "signed_floats_of", "unsigned": "floats_of", "table": "nibble_values"}[quant.bytes] %}
    return Octet({{ convert }}(bytes.x), {{ convert }}(bytes.y));
}

// Octet `j` of span `span` of the block that begins at `byte`, before its scales.
fn load_values(byte: u32, span: u32, j: u32) -> Octet {
    return values_of(load_bytes(byte, span, j));
}
{% endif %}

const SPAN: u32 = {{ quant.span }}u;
const OCTETS: u32 = BLOCK_ELEMENTS / 8u;

fn octets_of_row() -> u32 {
    return params.columns / 8u{{ " + 1u" if tail }};
}

// The column of the first element of octet `i` of a row; its second run of four is HIGH columns further.
fn octet_column(i: u32) -> u32 {
    return i / OCTETS * BLOCK_ELEMENTS + octet_offset(i % OCTETS / SPAN, i % SPAN);
}
{% if tail %}

// Which of the four columns from `column` on there are.
fn in_row(column: u32) -> vec4<bool> {
    return vec4<u32>(column) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(params.columns);
}
{% endif %}

// An octet as it was read.
struct Packed {
    {% if tail or not quant.bytes %}
    values: Octet,
    {% else %}
    bytes: vec2<u32>,
    {% endif %}
    {% if not tail %}
    scales: vec4<f32>,
    {% endif %}
}

// Octet `i` of row `row` of the weights.
fn load_packed(row: u32, i: u32) -> Packed {
    let byte = row * params.row_bytes + i / OCTETS * BLOCK_BYTES;
    let span = i % OCTETS / SPAN;
    {% if tail %}
    let values = load_values(byte, span, i % SPAN);
    let column = octet_column(i);
    return Packed(Octet(
        select(vec4<f32>(0.0), values.low, in_row(column)),
        select(vec4<f32>(0.0), values.high, in_row(column + HIGH)),
    ));
    {% else %}
    return Packed({{ "load_bytes" if quant.bytes else "load_values" }}(byte, span, i % SPAN), load_scales(byte, span));
    {% endif %}
}

fn unpacked(packed: Packed) -> Octet {
    {% if tail %}
    return packed.values;
    {% else %}
    let values = {{ "values_of(packed.bytes)" if quant.bytes else "packed.values" }};
    let scales = packed.scales;
    {% if quant.summands %}
    return Octet(scales.x * values.low + scales.y, scales.z * values.high + scales.w);
    {% else %}
    return Octet(scales.x * values.low, scales.z * values.high);
    {% endif %}
    {% endif %}
}

fn load_octet(row: u32, i: u32) -> Octet {
    return unpacked(load_packed(row, i));
}
