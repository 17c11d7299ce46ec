// LU factorisation of small square matrices with partial pivoting: P A = L U, and what it is for.
//   l              lower triangular, ones on the diagonal, no entry above 1 in magnitude
//   u              upper triangular; a zero on its diagonal where A is singular (to working precision: about zero)
//   permutation    row i of P A is row permutation[i] of A
//   sign           det(P)
// Golub and Van Loan, Matrix Computations (4th edition), 3.4.
// Parameters: sizes (a list of 2, 3, 4). Include lib/float.wgsl and geometry/matrix.wgsl as well.
{% for n in sizes %}
{% set vec = "vec" ~ n ~ "<f32>" %}
{% set mat = "mat" ~ n ~ "x" ~ n ~ "<f32>" %}

struct Lu{{ n }} {
    l: {{ mat }},
    u: {{ mat }},
    permutation: vec{{ n }}<u32>,
    sign: f32,
}

fn lu{{ n }}(matrix: {{ mat }}) -> Lu{{ n }} {
    let scale = magnitude{{ n }}(matrix);
    // By rows. Where an entry is eliminated, its factor is kept, which is l's.
    var rows = transpose(matrix * reciprocal_power_of_two(scale));
    var permutation = PLACES{{ n }};
    var sign = 1.0;
    {% for k in range(n - 1) %}
    {% for i in range(k + 1, n) %}
    if abs(rows[{{ i }}][{{ k }}]) > abs(rows[{{ k }}][{{ k }}]) {
        let row = rows[{{ k }}];
        rows[{{ k }}] = rows[{{ i }}];
        rows[{{ i }}] = row;
        let place = permutation[{{ k }}];
        permutation[{{ k }}] = permutation[{{ i }}];
        permutation[{{ i }}] = place;
        sign = -sign;
    }
    {% endfor %}
    if rows[{{ k }}][{{ k }}] != 0.0 {
        {% for i in range(k + 1, n) %}
        rows[{{ i }}][{{ k }}] /= rows[{{ k }}][{{ k }}];
        rows[{{ i }}] -= rows[{{ i }}][{{ k }}] * tail{{ n }}(rows[{{ k }}], {{ k + 1 }}u);
        {% endfor %}
    }
    {% endfor %}
    let columns = transpose(rows);
    var l = identity{{ n }}();
    var u = {{ mat }}();
    {% for j in range(n) %}
    l[{{ j }}] += tail{{ n }}(columns[{{ j }}], {{ j + 1 }}u);
    u[{{ j }}] = scale * head{{ n }}(columns[{{ j }}], {{ j + 1 }}u);
    {% endfor %}
    return Lu{{ n }}(l, u, permutation, sign);
}

// det(A). It must be a number that f32 has, and so must the product of the first entries on u's diagonal.
fn lu{{ n }}_determinant(f: Lu{{ n }}) -> f32 {
    var product = f.sign;
    {% for k in range(n) %}
    product *= f.u[{{ k }}][{{ k }}];
    {% endfor %}
    return product;
}

// x with A x = b. Where A is singular that may not be: unknowns with a zero pivot are then 0.
fn lu{{ n }}_solve(f: Lu{{ n }}, b: {{ vec }}) -> {{ vec }} {
    var x = {{ vec }}(
        {% for i in range(n) %}
        b[f.permutation[{{ i }}]],
        {% endfor %}
    );
    {% for k in range(n - 1) %}
    x -= x[{{ k }}] * tail{{ n }}(f.l[{{ k }}], {{ k + 1 }}u);
    {% endfor %}
    {% for k in range(n - 1, -1, -1) %}
    x[{{ k }}] = select(x[{{ k }}] / f.u[{{ k }}][{{ k }}], 0.0, f.u[{{ k }}][{{ k }}] == 0.0);
    x -= x[{{ k }}] * head{{ n }}(f.u[{{ k }}], {{ k }}u);
    {% endfor %}
    return x;
}

// The inverse of A, where it has one.
fn lu{{ n }}_inverse(f: Lu{{ n }}) -> {{ mat }} {
    var inverse = identity{{ n }}();
    {% for j in range(n) %}
    inverse[{{ j }}] = lu{{ n }}_solve(f, inverse[{{ j }}]);
    {% endfor %}
    return inverse;
}
{% endfor %}
