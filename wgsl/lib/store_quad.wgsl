// Four elements of row `row` of `out`, from column `column` on. After lib/octets.wgsl; parameter: tail.
fn store_quad(row: u32, column: u32, quad: vec4<f32>) {
    let at = row * params.columns + column;
    {% if tail %}
    let there = in_row(column);
    for (var i = 0u; i < 4u; i++) {
        if there[i] {
            out[at + i] = quad[i];
        }
    }
    {% else %}
    out[at / 4u] = quad;
    {% endif %}
}
