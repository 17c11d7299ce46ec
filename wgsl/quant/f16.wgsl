// F16: 16 bytes a block of 8 elements. Plain half-precision numbers, read eight at a time.
// Parameter: tail (rows need not be a multiple of 8 long, so they may start in the middle of a word).
{% set span, summands, table, alignment, bytes = 1, false, false, (2 if tail else 16), false %}
{% include "lib/blocks.wgsl" %}
const BLOCK_ELEMENTS: u32 = 8u;
const BLOCK_BYTES: u32 = 16u;
const HIGH: u32 = 4u;

// The first element of octet `j` of span `span` within its block.
fn octet_offset(span: u32, j: u32) -> u32 {
    return 0u;
}

// The scales of span `span` of the block that begins at `byte`.
fn load_scales(byte: u32, span: u32) -> vec4<f32> {
    return vec4<f32>(1.0, 0.0, 1.0, 0.0);
}

// Octet `j` of that span, before its scales.
fn load_values(byte: u32, span: u32, j: u32) -> Octet {
    let pairs = load_4_words(byte);
    return Octet(
        vec4<f32>(unpack2x16float(pairs.x), unpack2x16float(pairs.y)),
        vec4<f32>(unpack2x16float(pairs.z), unpack2x16float(pairs.w)),
    );
}
