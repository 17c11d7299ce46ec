// Singular value decomposition of small square matrices: A = U diag(S) V^T.
//   u          orthogonal, det(u) = the sign of det(A) (1 or -1 where A is singular)
//   singular   not negative, descending
//   v          a rotation (det(v) = 1)
// Any finite A is right: where singular values are 0 or equal, u and v are one choice of orthonormal columns. Small
// singular values keep their relative precision where A is a well-conditioned matrix times a diagonal one.
// One-sided Jacobi (Hestenes): the columns of A V are rotated in pairs until all are orthogonal. Demmel and Veselic,
// "Jacobi's method is more accurate than QR", SIAM Journal on Matrix Analysis and Applications 13, 1992.
// Parameters: sizes (a list of 2, 3, 4). Include lib/float.wgsl and geometry/matrix.wgsl as well.

// Cyclic sweeps end when no pair is left to rotate: mostly after three to five of them.
const SVD_SWEEPS: u32 = 10u;
{% for n in sizes %}
{% set vec = "vec" ~ n ~ "<f32>" %}
{% set mat = "mat" ~ n ~ "x" ~ n ~ "<f32>" %}

struct Svd{{ n }} {
    u: {{ mat }},
    singular: {{ vec }},
    v: {{ mat }},
}

fn svd{{ n }}(matrix: {{ mat }}) -> Svd{{ n }} {
    let scale = magnitude{{ n }}(matrix);
    var a = matrix * reciprocal_power_of_two(scale);
    var v = identity{{ n }}();
    for (var sweep = 0u; sweep < SVD_SWEEPS; sweep++) {
        var rotated = false;
        {% for p in range(n - 1) %}
        {% for q in range(p + 1, n) %}
        {
            let app = dot(a[{{ p }}], a[{{ p }}]);
            let apq = dot(a[{{ p }}], a[{{ q }}]);
            let aqq = dot(a[{{ q }}], a[{{ q }}]);
            if abs(apq) > EPSILON * sqrt(app) * sqrt(aqq) {
                rotated = true;
                let turn = jacobi_rotation(app, apq, aqq);
                let a_p = a[{{ p }}];
                a[{{ p }}] = turn.x * a_p - turn.y * a[{{ q }}];
                a[{{ q }}] = turn.y * a_p + turn.x * a[{{ q }}];
                let v_p = v[{{ p }}];
                v[{{ p }}] = turn.x * v_p - turn.y * v[{{ q }}];
                v[{{ q }}] = turn.y * v_p + turn.x * v[{{ q }}];
            }
        }
        {% endfor %}
        {% endfor %}
        if !rotated {
            break;
        }
    }

    var singular = {{ vec }}(
        {% for j in range(n) %}
        norm{{ n }}(a[{{ j }}]),
        {% endfor %}
    );
    // Exchanges of neighbours; each turns one column round, so that v stays a rotation.
    {% for last in range(n - 1, 0, -1) %}
    {% for j in range(last) %}
    if singular[{{ j }}] < singular[{{ j + 1 }}] {
        let s_j = singular[{{ j }}];
        singular[{{ j }}] = singular[{{ j + 1 }}];
        singular[{{ j + 1 }}] = s_j;
        let a_j = a[{{ j }}];
        a[{{ j }}] = a[{{ j + 1 }}];
        a[{{ j + 1 }}] = -a_j;
        let v_j = v[{{ j }}];
        v[{{ j }}] = v[{{ j + 1 }}];
        v[{{ j + 1 }}] = -v_j;
    }
    {% endfor %}
    {% endfor %}
    {% for j in range(n) %}
    a[{{ j }}] = unit{{ n }}(a[{{ j }}]);
    {% endfor %}
    return Svd{{ n }}(orthonormal{{ n }}(a), scale * singular, orthonormal{{ n }}(v));
}

// The same decomposition with u a rotation too: the last singular value, and it alone, may then be negative. u v^T is
// then the rotation nearest to A (in the Frobenius norm).
fn svd{{ n }}_rotations(f: Svd{{ n }}) -> Svd{{ n }} {
    var proper = f;
    if determinant(f.u) < 0.0 {
        proper.u[{{ n - 1 }}] = -f.u[{{ n - 1 }}];
        proper.singular[{{ n - 1 }}] = -f.singular[{{ n - 1 }}];
    }
    return proper;
}

// U diag(S) V^T.
fn svd{{ n }}_matrix(f: Svd{{ n }}) -> {{ mat }} {
    var scaled = f.u;
    {% for j in range(n) %}
    scaled[{{ j }}] *= f.singular[{{ j }}];
    {% endfor %}
    return scaled * transpose(f.v);
}
{% endfor %}
