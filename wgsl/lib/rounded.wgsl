// Rounded activations: four whole numbers in a word of bytes, or in two of them, whose bytes, each with its sign, are the
// digits of numbers to the base 128. Parameter: x_bytes (of a number: 1 or 2).
{% set word = "u32" if x_bytes == 1 else "vec2<u32>" %}
{% set products = "i32" if x_bytes == 1 else "vec2<i32>" %}
const DIGIT: i32 = 128;
const DIGIT_BITS: u32 = 7u;
const LARGEST: f32 = {{ 127 if x_bytes == 1 else 127 * 128 }}.0; // magnitude of a whole number
const ONES: u32 = 0x01010101u;

// What elements are multiplied by to become such numbers; peak: the largest magnitude among them.
fn factor_of(peak: f32) -> f32 {
    return select(LARGEST / peak, 0.0, peak == 0.0);
}

// Four whole numbers of at most that magnitude.
fn packed_numbers(numbers: vec4<i32>) -> {{ word }} {
    {% if x_bytes == 1 %}
    return pack4xI8(numbers);
    {% else %}
    let upper = (numbers + DIGIT / 2) >> vec4<u32>(DIGIT_BITS);
    return vec2<u32>(pack4xI8(upper), pack4xI8(numbers - DIGIT * upper));
    {% endif %}
}

// The sum of products of the bytes of `w` with four numbers, digit by digit.
fn products_of(w: u32, x: {{ word }}) -> {{ products }} {
    return {{ "dot4I8Packed(w, x)" if x_bytes == 1 else "vec2<i32>(dot4I8Packed(w, x.x), dot4I8Packed(w, x.y))" }};
}

// What such sums, added up, come to.
fn number_of(products: {{ products }}) -> f32 {
    return f32({{ "products" if x_bytes == 1 else "DIGIT * products.x + products.y" }});
}
