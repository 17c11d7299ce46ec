// A table of 16 signed bytes, four to a word, read by a nibble. Parameter: values, the list of them.
// The words are picked by the nibble's bits: an array indexed at run time would lie in slow memory on many GPUs.
{% macro packed(first) -%}
    {{ (values[first] % 256) + (values[first + 1] % 256) * 256 + (values[first + 2] % 256) * 65536 + (values[first + 3] % 256) * 16777216 }}u
{%- endmacro %}

// The values of four nibbles, one in each byte of `nibbles`.
fn nibble_values(nibbles: u32) -> vec4<f32> {
    let index = bytes_of(nibbles);
    let odd_word = (index & vec4<u32>(4u)) != vec4<u32>(0u);
    let lower = select(vec4<u32>({{ packed(0) }}), vec4<u32>({{ packed(4) }}), odd_word);
    let upper = select(vec4<u32>({{ packed(8) }}), vec4<u32>({{ packed(12) }}), odd_word);
    let words = select(lower, upper, index >= vec4<u32>(8u));
    let at_top = words << (vec4<u32>(24u) - 8u * (index & vec4<u32>(3u)));
    return vec4<f32>(bitcast<vec4<i32>>(at_top) >> vec4<u32>(24u));
}
