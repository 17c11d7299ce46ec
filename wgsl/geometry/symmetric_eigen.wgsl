// Eigenvalues and eigenvectors of small symmetric matrices: A = V diag(values) V^T.
//   values     ascending
//   vectors    a rotation (det = 1), the eigenvector of values[j] in column j
// Any finite symmetric A is right; of equal eigenvalues the vectors are one choice of an orthonormal basis.
// Jacobi's method; Golub and Van Loan, Matrix Computations (4th edition), 8.5.
// Parameters: sizes (a list of 2, 3, 4). Include lib/float.wgsl and geometry/matrix.wgsl as well.

// Cyclic sweeps end when every entry off the diagonal is negligible: mostly after three to five of them.
const EIGEN_SWEEPS: u32 = 10u;
{% for n in sizes %}
{% set vec = "vec" ~ n ~ "<f32>" %}
{% set mat = "mat" ~ n ~ "x" ~ n ~ "<f32>" %}

struct SymmetricEigen{{ n }} {
    values: {{ vec }},
    vectors: {{ mat }},
}

fn symmetric_eigen{{ n }}(matrix: {{ mat }}) -> SymmetricEigen{{ n }} {
    let scale = magnitude{{ n }}(matrix);
    let scaled = matrix * reciprocal_power_of_two(scale);
    // a_pq, p <= q
    {% for p in range(n) %}
    {% for q in range(p, n) %}
    var a_{{ p }}{{ q }} = scaled[{{ q }}][{{ p }}];
    {% endfor %}
    {% endfor %}
    var vectors = identity{{ n }}();
    for (var sweep = 0u; sweep < EIGEN_SWEEPS; sweep++) {
        var rotated = false;
        {% for p in range(n - 1) %}
        {% for q in range(p + 1, n) %}
        {% set pp, pq, qq = "a_%d%d" % (p, p), "a_%d%d" % (p, q), "a_%d%d" % (q, q) %}
        if abs({{ pq }}) > 0.25 * EPSILON * sqrt(abs({{ pp }})) * sqrt(abs({{ qq }})) {
            rotated = true;
            let turn = jacobi_rotation({{ pp }}, {{ pq }}, {{ qq }});
            let moved = turn.y / turn.x * {{ pq }};
            {{ pp }} -= moved;
            {{ qq }} += moved;
            {{ pq }} = 0.0;
            {% for k in range(n) if k != p and k != q %}
            {% set kp, kq = "a_%d%d" % ((k, p) if k < p else (p, k)), "a_%d%d" % ((k, q) if k < q else (q, k)) %}
            let old_{{ k }} = {{ kp }};
            {{ kp }} = turn.x * old_{{ k }} - turn.y * {{ kq }};
            {{ kq }} = turn.y * old_{{ k }} + turn.x * {{ kq }};
            {% endfor %}
            let old_vector = vectors[{{ p }}];
            vectors[{{ p }}] = turn.x * old_vector - turn.y * vectors[{{ q }}];
            vectors[{{ q }}] = turn.y * old_vector + turn.x * vectors[{{ q }}];
        }
        {% endfor %}
        {% endfor %}
        if !rotated {
            break;
        }
    }

    var values = {{ vec }}(
        {% for j in range(n) %}
        a_{{ j }}{{ j }},
        {% endfor %}
    );
    // Exchanges of neighbours; each turns one vector round, so that they stay a rotation.
    {% for last in range(n - 1, 0, -1) %}
    {% for j in range(last) %}
    if values[{{ j }}] > values[{{ j + 1 }}] {
        let old_value = values[{{ j }}];
        values[{{ j }}] = values[{{ j + 1 }}];
        values[{{ j + 1 }}] = old_value;
        let old_vector = vectors[{{ j }}];
        vectors[{{ j }}] = vectors[{{ j + 1 }}];
        vectors[{{ j + 1 }}] = -old_vector;
    }
    {% endfor %}
    {% endfor %}
    return SymmetricEigen{{ n }}(scale * values, orthonormal{{ n }}(vectors));
}
{% endfor %}
