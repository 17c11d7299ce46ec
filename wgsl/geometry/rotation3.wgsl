// Rotations of space as unit quaternions (x, y, z, w): by the angle a about the unit axis n, right-handed, it is
// (sin(a / 2) n, cos(a / 2)). q and -q are the same rotation.
// Angles are in radians. Results keep length 1 to rounding, through any number of compositions.
// Include lib/float.wgsl, lib/angles.wgsl, geometry/matrix.wgsl (sizes with 3 and 4) and geometry/quaternion.wgsl too.
const ROTATION3_IDENTITY: vec4<f32> = QUATERNION_ONE;

// The rotation by |v| about v.
fn rotation3_from_vector(v: vec3<f32>) -> vec4<f32> {
    let angle = norm3(v);
    let half = cos_sin(0.5 * angle);
    return vec4<f32>(select(half.y / angle, 0.5, angle == 0.0) * v, half.x);
}

// The v, of length up to pi, of which q is the rotation: the inverse of rotation3_from_vector.
fn rotation3_vector(q: vec4<f32>) -> vec3<f32> {
    let nearer = select(q, -q, q.w < 0.0);
    let sine = norm3(nearer.xyz);
    return select(2.0 * angle_of(vec2<f32>(nearer.w, sine)) / sine, 2.0, sine == 0.0) * nearer.xyz;
}

// The rotation by `angle` about the direction of `axis`; the identity where that is zero.
fn rotation3_from_axis_angle(axis: vec3<f32>, angle: f32) -> vec4<f32> {
    let n = unit3(axis);
    let half = cos_sin(0.5 * angle);
    return select(vec4<f32>(half.y * n, half.x), ROTATION3_IDENTITY, all(n == vec3<f32>(0.0)));
}

// First b, then a.
fn rotation3_compose(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
    return normalize(quaternion_mul(a, b));
}

fn rotation3_inverse(q: vec4<f32>) -> vec4<f32> {
    return quaternion_conjugate(q);
}

fn rotation3_apply(q: vec4<f32>, v: vec3<f32>) -> vec3<f32> {
    let moved = 2.0 * cross(q.xyz, v);
    return v + q.w * moved + cross(q.xyz, moved);
}

fn rotation3_matrix(q: vec4<f32>) -> mat3x3<f32> {
    let axes = identity3();
    return mat3x3<f32>(rotation3_apply(q, axes[0]), rotation3_apply(q, axes[1]), rotation3_apply(q, axes[2]));
}

// The quaternion of a rotation matrix, from the largest of its four components: Shepperd, "Quaternion from rotation
// matrix", Journal of Guidance and Control 1 (3), 1978. Of any other matrix no more can be said than that it is a unit
// quaternion; svd3_rotations finds the nearest rotation.
fn rotation3_from_matrix(m: mat3x3<f32>) -> vec4<f32> {
    // Four times the squares of x, y, z, w.
    let squares = vec4<f32>(1.0) + vec4<f32>(
        m[0].x - m[1].y - m[2].z,
        m[1].y - m[2].z - m[0].x,
        m[2].z - m[0].x - m[1].y,
        m[0].x + m[1].y + m[2].z,
    );
    let differences = vec3<f32>(m[1].z - m[2].y, m[2].x - m[0].z, m[0].y - m[1].x);
    let sums = vec3<f32>(m[1].z + m[2].y, m[2].x + m[0].z, m[0].y + m[1].x);
    var q = vec4<f32>(differences, squares.w);
    var largest = squares.w;
    if squares.x > largest {
        q = vec4<f32>(squares.x, sums.z, sums.y, differences.x);
        largest = squares.x;
    }
    if squares.y > largest {
        q = vec4<f32>(sums.z, squares.y, sums.x, differences.y);
        largest = squares.y;
    }
    if squares.z > largest {
        q = vec4<f32>(sums.y, sums.x, squares.z, differences.z);
    }
    let unit = unit4(q);
    return select(unit, ROTATION3_IDENTITY, all(unit == vec4<f32>(0.0)));
}

// The shortest rotation that takes the direction of a to that of b; where they are opposite, one about an axis
// perpendicular to a; the identity where one of them is zero.
fn rotation3_between(a: vec3<f32>, b: vec3<f32>) -> vec4<f32> {
    let from_unit = unit3(a);
    let to_unit = unit3(b);
    let normal = cross(from_unit, to_unit);
    let cosine = dot(from_unit, to_unit);
    if cosine >= 0.0 {
        return normalize(vec4<f32>(normal, 1.0 + cosine));
    }
    // By half a turn to the direction opposite to a, then on by an acute angle: no digits are lost near half a turn.
    let axis = perpendicular3(mat3x3<f32>(from_unit, vec3<f32>(0.0), vec3<f32>(0.0)), unit3(normal));
    return rotation3_compose(normalize(vec4<f32>(-normal, 1.0 - cosine)), vec4<f32>(axis, 0.0));
}

// From a (t = 0) to b (t = 1) by the smaller angle, at constant speed: Shoemake, "Animating rotation with quaternion
// curves", SIGGRAPH 1985.
fn rotation3_slerp(a: vec4<f32>, b: vec4<f32>, t: f32) -> vec4<f32> {
    let relative = rotation3_vector(rotation3_compose(rotation3_inverse(a), b));
    return rotation3_compose(a, rotation3_from_vector(t * relative));
}
