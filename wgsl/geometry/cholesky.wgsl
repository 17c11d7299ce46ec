// Cholesky factorisation of small symmetric positive definite matrices: A = L L^T.
//   l           lower triangular, its diagonal positive
//   definite    whether A is positive definite, as far as f32 can tell
// Where a pivot is not above n EPSILON times the diagonal entry it came from, `definite` is false and its column of l
// is zero. L L^T is then still A if A is semidefinite and that column depends on well-conditioned ones before it.
// Only the diagonal and the entries below it are read.
// Golub and Van Loan, Matrix Computations (4th edition), 4.2; Higham, Accuracy and Stability of Numerical Algorithms
// (2nd edition), 10.1 and 10.3.
// Parameters: sizes (a list of 2, 3, 4). Include lib/float.wgsl and geometry/matrix.wgsl as well.
{% for n in sizes %}
{% set vec = "vec" ~ n ~ "<f32>" %}
{% set mat = "mat" ~ n ~ "x" ~ n ~ "<f32>" %}

struct Cholesky{{ n }} {
    l: {{ mat }},
    definite: bool,
}

fn cholesky{{ n }}(matrix: {{ mat }}) -> Cholesky{{ n }} {
    var rest = matrix;
    var l = {{ mat }}();
    var definite = true;
    {% for k in range(n) %}
    if rest[{{ k }}][{{ k }}] > {{ n }}.0 * EPSILON * matrix[{{ k }}][{{ k }}] {
        l[{{ k }}] = tail{{ n }}(rest[{{ k }}], {{ k }}u) / sqrt(rest[{{ k }}][{{ k }}]);
        {% for j in range(k + 1, n) %}
        rest[{{ j }}] -= l[{{ k }}][{{ j }}] * l[{{ k }}];
        {% endfor %}
    } else {
        definite = false;
    }
    {% endfor %}
    return Cholesky{{ n }}(l, definite);
}

// x with A x = b. Where A is not definite that may not be: unknowns with a zero pivot are then 0.
fn cholesky{{ n }}_solve(f: Cholesky{{ n }}, b: {{ vec }}) -> {{ vec }} {
    var x = b;
    {% for k in range(n) %}
    x[{{ k }}] = select(x[{{ k }}] / f.l[{{ k }}][{{ k }}], 0.0, f.l[{{ k }}][{{ k }}] == 0.0);
    x -= x[{{ k }}] * tail{{ n }}(f.l[{{ k }}], {{ k + 1 }}u);
    {% endfor %}
    let l_transposed = transpose(f.l);
    {% for k in range(n - 1, -1, -1) %}
    x[{{ k }}] = select(x[{{ k }}] / f.l[{{ k }}][{{ k }}], 0.0, f.l[{{ k }}][{{ k }}] == 0.0);
    x -= x[{{ k }}] * head{{ n }}(l_transposed[{{ k }}], {{ k }}u);
    {% endfor %}
    return x;
}
{% endfor %}
