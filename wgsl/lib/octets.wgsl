// Rows of quantized weights, and of activations as long as they, eight elements (an octet) at a time.
// A piece of quant/ says how to read a type. The octets of its blocks come in spans of SPAN that share their scales:
//   element = scale * value + summand; load_scales gives (scale, summand) of an octet's low run, then of its high run
// Reads params.columns and params.row_bytes. Parameters: type (a piece of quant/), weights_binding, grid_binding (that
// of the codebook, which only some types have), tail (columns is no multiple of 8: elements past the end of a row read
// as 0 and are not written), shared_tables (codebooks and the like are copied to workgroup memory, by prepare_weights).
{% import "quant/" ~ type ~ ".wgsl" as quant with context %}
{% include "quant/" ~ type ~ ".wgsl" %}

const SPAN: u32 = {{ quant.span }}u;
const OCTETS: u32 = BLOCK_ELEMENTS / 8u;

fn octets_of_row() -> u32 {
    return params.columns / 8u{{ " + 1u" if tail }};
}

// The byte at which the block of octet `i` of row `row` starts.
fn block_of(row: u32, i: u32) -> u32 {
    return row * params.row_bytes + i / OCTETS * BLOCK_BYTES;
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

// Octet `i` of row `row` of the weights.
fn load_octet(row: u32, i: u32) -> Octet {
    let scales = load_scales(block_of(row, i), i % OCTETS / SPAN);
    let values = load_values(block_of(row, i), i % OCTETS / SPAN, i % SPAN);
    {% if tail %}
    let column = octet_column(i);
    return Octet(
        select(vec4<f32>(0.0), values.low, in_row(column)),
        select(vec4<f32>(0.0), values.high, in_row(column + HIGH)),
    );
    {% else %}
    return Octet(scales.x * values.low{{ " + scales.y" if quant.summands }}, scales.z * values.high{{ " + scales.w" if quant.summands }});
    {% endif %}
}
