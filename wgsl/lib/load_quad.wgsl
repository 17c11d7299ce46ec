// Four elements of a row of the activations `x`, from column `column` on; `origin` is its first element. After
// lib/octets.wgsl; parameter: tail.
fn load_quad(origin: u32, column: u32) -> vec4<f32> {
    let index = origin + column;
    {% if tail %}
    return select(vec4<f32>(0.0), vec4<f32>(x[index], x[index + 1u], x[index + 2u], x[index + 3u]), in_row(column));
    {% else %}
    return x[index / 4u];
    {% endif %}
}
