// What the factorisations of small square matrices share. Matrices are WGSL's: column-major, m[column][row].
// Vectors and matrices may have entries of any finite size; a result overflows only where the true one does.
// Parameters: sizes (a list of 2, 3, 4: the n of the functions, which end in it). Include lib/float.wgsl as well.

// (cos, sin) of the rotation that makes the symmetric matrix [[app, apq], [apq, aqq]] diagonal: the smaller of the two
// angles. Golub and Van Loan, Matrix Computations (4th edition), 8.5.2; written so that nothing overflows.
fn jacobi_rotation(app: f32, apq: f32, aqq: f32) -> vec2<f32> {
    let difference = aqq - app;
    let twice = 2.0 * apq;
    let larger = max(abs(difference), abs(twice));
    if larger == 0.0 {
        return vec2<f32>(1.0, 0.0);
    }
    let ratio = min(abs(difference), abs(twice)) / larger;
    let t = select(twice, -twice, difference < 0.0) / (abs(difference) + larger * sqrt(1.0 + ratio * ratio));
    let c = 1.0 / sqrt(1.0 + t * t);
    return vec2<f32>(c, t * c);
}
{% for n in sizes %}
{% set axes = "xyzw"[:n] %}
{% set vec = "vec" ~ n ~ "<f32>" %}
{% set mat = "mat" ~ n ~ "x" ~ n ~ "<f32>" %}
{% set zeros = ["0.0"] * n %}

const PLACES{{ n }}: vec{{ n }}<u32> = vec{{ n }}<u32>({{ ["0u", "1u", "2u", "3u"][:n] | join(", ") }});

// v with zeros from component `end` on.
fn head{{ n }}(v: {{ vec }}, end: u32) -> {{ vec }} {
    return select({{ vec }}(0.0), v, PLACES{{ n }} < vec{{ n }}<u32>(end));
}

// v with zeros before component `start`.
fn tail{{ n }}(v: {{ vec }}, start: u32) -> {{ vec }} {
    return select({{ vec }}(0.0), v, PLACES{{ n }} >= vec{{ n }}<u32>(start));
}

fn identity{{ n }}() -> {{ mat }} {
    return {{ mat }}(
        {% for j in range(n) %}
        {{ (zeros[:j] + ["1.0"] + zeros[j + 1:]) | join(", ") }},
        {% endfor %}
    );
}

fn diagonal{{ n }}(m: {{ mat }}) -> {{ vec }} {
    return {{ vec }}(
        {% for j in range(n) %}
        m[{{ j }}][{{ j }}],
        {% endfor %}
    );
}

// The largest magnitude of a component.
fn largest{{ n }}(v: {{ vec }}) -> f32 {
    let magnitudes = abs(v);
    var result = magnitudes.x;
    {% for axis in axes[1:] %}
    result = max(result, magnitudes.{{ axis }});
    {% endfor %}
    return result;
}

// The power of two at or below the largest magnitude of an entry.
fn magnitude{{ n }}(m: {{ mat }}) -> f32 {
    var rows = abs(m[0]);
    {% for j in range(1, n) %}
    rows = max(rows, abs(m[{{ j }}]));
    {% endfor %}
    return power_of_two(largest{{ n }}(rows));
}

// The length of v.
fn norm{{ n }}(v: {{ vec }}) -> f32 {
    let scale = power_of_two(largest{{ n }}(v));
    return scale * length(v * reciprocal_power_of_two(scale));
}

// v at length 1; the zero vector stays zero.
fn unit{{ n }}(v: {{ vec }}) -> {{ vec }} {
    let scaled = v * reciprocal_power_of_two(power_of_two(largest{{ n }}(v)));
    let squared = dot(scaled, scaled);
    return select(scaled / sqrt(squared), {{ vec }}(0.0), squared == 0.0);
}

// A unit vector perpendicular to the columns of q, which are orthonormal or zero (at least one is zero): v (of length 1
// or 0) less its part in their span, or, where less than half is left of it, the axis farthest from the span, of which
// at least half is left. So one projection loses no more than a bit.
fn perpendicular{{ n }}(q: {{ mat }}, v: {{ vec }}) -> {{ vec }} {
    var result = v - q * (v * q);
    if dot(result, result) < 0.25 {
        var spanned = q[0] * q[0];
        {% for j in range(1, n) %}
        spanned += q[{{ j }}] * q[{{ j }}];
        {% endfor %}
        var least = spanned.x;
        var axis = {{ vec }}({{ (["1.0"] + zeros[1:]) | join(", ") }});
        {% for i in range(1, n) %}
        if spanned.{{ axes[i] }} < least {
            least = spanned.{{ axes[i] }};
            axis = {{ vec }}({{ (zeros[:i] + ["1.0"] + zeros[i + 1:]) | join(", ") }});
        }
        {% endfor %}
        result = axis - q * (axis * q);
    }
    return normalize(result);
}

// An orthogonal matrix from columns of length 1 or 0 that are about orthogonal: each is made perpendicular to those
// before it, and zero columns are filled.
fn orthonormal{{ n }}(columns: {{ mat }}) -> {{ mat }} {
    var q = {{ mat }}();
    {% for j in range(n) %}
    q[{{ j }}] = perpendicular{{ n }}(q, columns[{{ j }}]);
    {% endfor %}
    return q;
}
{% endfor %}
