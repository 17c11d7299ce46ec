// A table of 16 signed bytes, four to a word, read by a nibble. Parameters: values, the list of them; shared_tables.
// The words are picked by the nibble's bits: an array indexed at run time would lie in slow memory on many GPUs.
{% macro word(a, b, c, d) -%}
    {{ a % 256 + 256 * (b % 256 + 256 * (c % 256 + 256 * (d % 256))) }}u
{%- endmacro %}

// The values of four nibbles, one in each byte of `nibbles`.
fn {{ "select_values" if shared_tables else "nibble_values" }}(nibbles: u32) -> vec4<f32> {
    let index = bytes_of(nibbles);
    let odd_word = (index & vec4<u32>(4u)) != vec4<u32>(0u);
    let lower = select(vec4<u32>({{ word(*values[0:4]) }}), vec4<u32>({{ word(*values[4:8]) }}), odd_word);
    let upper = select(vec4<u32>({{ word(*values[8:12]) }}), vec4<u32>({{ word(*values[12:16]) }}), odd_word);
    let words = select(lower, upper, index >= vec4<u32>(8u));
    let at_top = words << (vec4<u32>(24u) - 8u * (index & vec4<u32>(3u)));
    return vec4<f32>(bitcast<vec4<i32>>(at_top) >> vec4<u32>(24u));
}
{% if shared_tables %}

var<workgroup> value_table: array<f32, 16>;

fn prepare_table(index: u32) {
    if index < 16u {
        value_table[index] = select_values(index).x;
    }
    workgroupBarrier();
}

fn nibble_values(nibbles: u32) -> vec4<f32> {
    let index = bytes_of(nibbles);
    return vec4<f32>(value_table[index.x], value_table[index.y], value_table[index.z], value_table[index.w]);
}
{% endif %}
