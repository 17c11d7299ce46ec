// Similarities of the plane and of space: p -> scale * (rotation p) + translation, scale >= 0; of scale 1, the rigid
// motions. Rotations are those of geometry/rotation2.wgsl and geometry/rotation3.wgsl.
// Parameters: dimensions (a list of 2, 3: the d of the functions, which end in it). Include geometry/rotation2.wgsl or
// geometry/rotation3.wgsl as well, and what they ask for.
{% for d in dimensions %}
{% set vec = "vec" ~ d ~ "<f32>" %}
{% set rotor = {2: "vec2<f32>", 3: "vec4<f32>"}[d] %}
{% set homogeneous = "mat%dx%d<f32>" % (d + 1, d + 1) %}

struct Similarity{{ d }} {
    rotation: {{ rotor }},
    translation: {{ vec }},
    scale: f32,
}

fn similarity{{ d }}_identity() -> Similarity{{ d }} {
    return Similarity{{ d }}(ROTATION{{ d }}_IDENTITY, {{ vec }}(0.0), 1.0);
}

// Where s takes the point p.
fn similarity{{ d }}_apply(s: Similarity{{ d }}, p: {{ vec }}) -> {{ vec }} {
    return similarity{{ d }}_apply_vector(s, p) + s.translation;
}

// What s makes of the difference v of two points.
fn similarity{{ d }}_apply_vector(s: Similarity{{ d }}, v: {{ vec }}) -> {{ vec }} {
    return s.scale * rotation{{ d }}_apply(s.rotation, v);
}

// First b, then a.
fn similarity{{ d }}_compose(a: Similarity{{ d }}, b: Similarity{{ d }}) -> Similarity{{ d }} {
    return Similarity{{ d }}(
        rotation{{ d }}_compose(a.rotation, b.rotation),
        similarity{{ d }}_apply(a, b.translation),
        a.scale * b.scale,
    );
}

// The similarity that undoes s. One of scale 0 can't be undone: what comes then takes every point to zero.
fn similarity{{ d }}_inverse(s: Similarity{{ d }}) -> Similarity{{ d }} {
    let rotation = rotation{{ d }}_inverse(s.rotation);
    let scale = select(1.0 / s.scale, 0.0, s.scale == 0.0);
    return Similarity{{ d }}(rotation, -scale * rotation{{ d }}_apply(rotation, s.translation), scale);
}

// The matrix of s for homogeneous coordinates (points end in 1, vectors in 0).
fn similarity{{ d }}_matrix(s: Similarity{{ d }}) -> {{ homogeneous }} {
    let linear = rotation{{ d }}_matrix(s.rotation);
    return {{ homogeneous }}(
        {% for j in range(d) %}
        vec{{ d + 1 }}<f32>(s.scale * linear[{{ j }}], 0.0),
        {% endfor %}
        vec{{ d + 1 }}<f32>(s.translation, 1.0),
    );
}
{% endfor %}
