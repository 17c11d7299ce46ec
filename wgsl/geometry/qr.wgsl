// QR factorisation of small square matrices: A = Q R.
//   q    orthogonal (det 1 or -1)
//   r    upper triangular, its diagonal not negative; with A of full rank, q and r are then unique
// Any finite A is right: where columns depend on those before them, r has a zero (or about zero) on its diagonal and q
// is orthogonal all the same.
// Householder reflections; Golub and Van Loan, Matrix Computations (4th edition), 5.2.
// Parameters: sizes (a list of 2, 3, 4). Include lib/float.wgsl and geometry/matrix.wgsl as well.
{% for n in sizes %}
{% set vec = "vec" ~ n ~ "<f32>" %}
{% set mat = "mat" ~ n ~ "x" ~ n ~ "<f32>" %}

struct Qr{{ n }} {
    q: {{ mat }},
    r: {{ mat }},
}

fn qr{{ n }}(matrix: {{ mat }}) -> Qr{{ n }} {
    let scale = magnitude{{ n }}(matrix);
    var r = matrix * reciprocal_power_of_two(scale);
    var q_transposed = identity{{ n }}();
    {% for k in range(n - 1) %}
    {
        // The reflection that takes what column {{ k }} has from the diagonal down to the axis: of the two, the one
        // whose normal loses no digits. (A zero column reflects nothing.)
        var normal = unit{{ n }}(tail{{ n }}(r[{{ k }}], {{ k }}u));
        normal[{{ k }}] += select(1.0, -1.0, normal[{{ k }}] < 0.0) * length(normal);
        normal = unit{{ n }}(normal);
        {% for j in range(k, n) %}
        r[{{ j }}] = reflect(r[{{ j }}], normal);
        {% endfor %}
        {% for j in range(n) %}
        q_transposed[{{ j }}] = reflect(q_transposed[{{ j }}], normal);
        {% endfor %}
    }
    {% endfor %}
    let signs = select({{ vec }}(1.0), {{ vec }}(-1.0), diagonal{{ n }}(r) < {{ vec }}(0.0));
    {% for j in range(n) %}
    r[{{ j }}] = head{{ n }}(scale * signs * r[{{ j }}], {{ j + 1 }}u); // below lies what rounding left
    q_transposed[{{ j }}] *= signs;
    {% endfor %}
    return Qr{{ n }}(transpose(q_transposed), r);
}
{% endfor %}
