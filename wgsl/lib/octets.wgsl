// Rows of quantized weights, and of activations as long as they, eight elements (an octet) at a time.
// Reads params.columns and params.row_bytes. Parameters: type (a piece of quant/), weights_binding, grid_binding (that
// of the codebook, which only some types have), tail (columns is no multiple of 8: elements past the end of a row read
// as 0 and are not written).
{% include "quant/" ~ type ~ ".wgsl" %}

const OCTETS: u32 = BLOCK_ELEMENTS / 8u;

fn octets_of_row() -> u32 {
    return params.columns / 8u{{ " + 1u" if tail }};
}

// The column of the first element of octet `i` of a row; its second run of four is HIGH columns further.
fn octet_column(i: u32) -> u32 {
    return i / OCTETS * BLOCK_ELEMENTS + octet_offset(i % OCTETS);
}
{% if tail %}

// Which of the four columns from `column` on there are.
fn in_row(column: u32) -> vec4<bool> {
    return vec4<u32>(column) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(params.columns);
}
{% endif %}

// Octet `i` of row `row` of the weights.
fn load_octet(row: u32, i: u32) -> Octet {
    let octet = dequantize(row * params.row_bytes + i / OCTETS * BLOCK_BYTES, i % OCTETS);
    {% if tail %}
    let column = octet_column(i);
    return Octet(
        select(vec4<f32>(0.0), octet.low, in_row(column)),
        select(vec4<f32>(0.0), octet.high, in_row(column + HIGH)),
    );
    {% else %}
    return octet;
    {% endif %}
}
