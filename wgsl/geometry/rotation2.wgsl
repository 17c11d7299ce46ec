// Rotations of the plane as vec2<f32>(cos, sin) of the angle, counter-clockwise: unit complex numbers.
// Angles are in radians. Results keep length 1 to rounding, through any number of compositions.
// Include lib/float.wgsl, lib/angles.wgsl and geometry/matrix.wgsl (sizes with 2) as well.
const ROTATION2_IDENTITY: vec2<f32> = vec2<f32>(1.0, 0.0);

fn rotation2_from_angle(angle: f32) -> vec2<f32> {
    return cos_sin(angle);
}

// Between -pi and pi.
fn rotation2_angle(r: vec2<f32>) -> f32 {
    return angle_of(r);
}

// First b, then a.
fn rotation2_compose(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
    return normalize(vec2<f32>(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x));
}

fn rotation2_inverse(r: vec2<f32>) -> vec2<f32> {
    return vec2<f32>(r.x, -r.y);
}

fn rotation2_apply(r: vec2<f32>, v: vec2<f32>) -> vec2<f32> {
    return vec2<f32>(r.x * v.x - r.y * v.y, r.y * v.x + r.x * v.y);
}

fn rotation2_matrix(r: vec2<f32>) -> mat2x2<f32> {
    return mat2x2<f32>(r, vec2<f32>(-r.y, r.x));
}

// The rotation nearest to m (in the Frobenius norm); the identity where all are equally near (reflections, zero).
fn rotation2_from_matrix(m: mat2x2<f32>) -> vec2<f32> {
    let scaled = m * reciprocal_power_of_two(magnitude2(m));
    let r = unit2(vec2<f32>(scaled[0].x + scaled[1].y, scaled[0].y - scaled[1].x));
    return select(r, ROTATION2_IDENTITY, all(r == vec2<f32>(0.0)));
}

// The rotation that takes the direction of a to that of b; the identity where one of them is zero.
fn rotation2_between(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
    let from_unit = unit2(a);
    let to_unit = unit2(b);
    let r = unit2(rotation2_apply(rotation2_inverse(from_unit), to_unit));
    return select(r, ROTATION2_IDENTITY, all(r == vec2<f32>(0.0)));
}

// From a (t = 0) to b (t = 1) by the smaller angle, at constant speed.
fn rotation2_slerp(a: vec2<f32>, b: vec2<f32>, t: f32) -> vec2<f32> {
    let angle = rotation2_angle(rotation2_compose(rotation2_inverse(a), b));
    return rotation2_compose(a, rotation2_from_angle(t * angle));
}
