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

// A number of the exponential distribution of rate 1: -log(1 - u), u = (k + 0.5) 2^-24 with k of 24 random bits.
// Near 0 by its series, where log has no digits left; from 1/2 on with 1 - u counted from the other end, for k + 0.5
// then has a bit more than f32 (the largest k would give u = 1, and infinity).
fn random_exponential(counter: vec3<u32>) -> f32 {
    let k = pcg3d(counter).x >> 8u;
    if k >= 0x800000u {
        return -log((f32(0xffffffu - k) + 0.5) * 0x1p-24);
    }
    let u = (f32(k) + 0.5) * 0x1p-24;
    if u < 0.01 {
        return u * (1.0 + u * (0.5 + u * (1.0 / 3.0 + u * 0.25)));
    }
    return -log(1.0 - u);
}

// A number from 0 to 1, 1 excluded.
fn random_uniform(counter: vec3<u32>) -> f32 {
    return f32(pcg3d(counter).x >> 8u) * 0x1p-24;
}
