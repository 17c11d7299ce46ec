// Quaternions x i + y j + z k + w as vec4<f32>(x, y, z, w), with Hamilton's product: i j = k.
// Unit quaternions are the rotations of geometry/rotation3.wgsl.
const QUATERNION_ONE: vec4<f32> = vec4<f32>(0.0, 0.0, 0.0, 1.0);

fn quaternion_mul(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
    return vec4<f32>(a.w * b.xyz + b.w * a.xyz + cross(a.xyz, b.xyz), a.w * b.w - dot(a.xyz, b.xyz));
}

fn quaternion_conjugate(q: vec4<f32>) -> vec4<f32> {
    return vec4<f32>(-q.xyz, q.w);
}

// 1 / q; of zero, zero. The squared length of q must be a normal number.
fn quaternion_inverse(q: vec4<f32>) -> vec4<f32> {
    let squared = dot(q, q);
    return select(quaternion_conjugate(q) / squared, vec4<f32>(0.0), squared == 0.0);
}
