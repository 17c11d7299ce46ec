// Four elements of row `row` of `out`, from column `column` on. After lib/octets.wgsl; parameters: tail, accumulate
// (add to what is there).
fn store_quad(row: u32, column: u32, quad: vec4<f32>) {
    let at = row * params.columns + column;
    {% if tail %}
    let there = in_row(column);
    for (var i = 0u; i < 4u; i++) {
        if there[i] {
            out[at + i] = quad[i]{{ " + out[at + i]" if accumulate }};
        }
    }
    {% else %}
    out[at / 4u] = quad{{ " + out[at / 4u]" if accumulate }};
    {% endif %}
}
