// Random numbers from counters, the same on every GPU: pcg3d, Jarzynski and Olano, "Hash Functions for GPU Rendering",
// Journal of Computer Graphics Techniques 9 (3), 2020.
fn pcg3d(counter: vec3<u32>) -> vec3<u32> {
    var v = counter * 1664525u + 1013904223u;
    v.x += v.y * v.z;
    v.y += v.z * v.x;
    v.z += v.x * v.y;
    v ^= v >> vec3<u32>(16u);
    v.x += v.y * v.z;
    v.y += v.z * v.x;
    v.z += v.x * v.y;
    return v;
}

// A number of the exponential distribution of rate 1: -log(1 - u), u uniform in (0, 1) with 24 random bits.
// Near 0 by its series, where log has no digits left.
fn random_exponential(counter: vec3<u32>) -> f32 {
    let u = (f32(pcg3d(counter).x >> 8u) + 0.5) * 0x1p-24;
    if u < 0.01 {
        return u * (1.0 + u * (0.5 + u * (1.0 / 3.0 + u * 0.25)));
    }
    return -log(1.0 - u);
}
