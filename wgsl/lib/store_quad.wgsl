// Four elements of row `row` of `out`, from column `column` on. After lib/octets.wgsl; parameters: tail, accumulate
// (add to what is there).
fn store_quad(row: u32, column: u32, quad: vec4<f32>) {
    let index = row * params.columns + column;
    {% if tail %}
    let there = in_row(column);
    for (var i = 0u; i < 4u; i++) {
        if there[i] {
            out[index + i] = quad[i]{{ " + out[index + i]" if accumulate }};
        }
    }
    {% else %}
    out[index / 4u] = quad{{ " + out[index / 4u]" if accumulate }};
    {% endif %}
}
