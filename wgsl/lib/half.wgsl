// Half-precision numbers (IEEE binary16) in pairs packed to u32, the first in the low half: the same bits on every GPU.
// WGSL's pack2x16float may round either way, says nothing of numbers beyond 65504, and may take subnormals for zero.

// The 16 bits of the half nearest to x, ties to even; beyond 65504 and half a unit in its last place: infinity.
fn half_bits(x: f32) -> u32 {
    let bits = bitcast<u32>(x);
    let sign = (bits >> 16u) & 0x8000u;
    let magnitude = bits & 0x7fffffffu;
    if magnitude > 0x7f800000u {
        return sign | 0x7e00u; // NaN
    }
    if magnitude >= 0x47800000u { // 2^16
        return sign | 0x7c00u;
    }
    if magnitude < 0x38800000u { // 2^-14, the smallest normal half: below, they count in 2^-24
        return sign | u32(round(bitcast<f32>(magnitude) * 0x1p24));
    }
    // The exponent's bias falls from 127 to 15; 13 bits fall off the end, and a carry into the exponent is right.
    let rounded = magnitude - (112u << 23u) + 0xfffu + ((magnitude >> 13u) & 1u);
    return sign | (rounded >> 13u);
}

// The number that the lower 16 bits of `bits` stand for: exact.
fn half_value(bits: u32) -> f32 {
    let sign = (bits & 0x8000u) << 16u;
    let exponent = (bits >> 10u) & 0x1fu;
    if exponent == 0u {
        return bitcast<f32>(bitcast<u32>(f32(bits & 0x3ffu) * 0x1p-24) | sign);
    }
    let bias = select(112u, 224u, exponent == 31u); // infinity and NaN keep an exponent of ones
    return bitcast<f32>((((bits & 0x7fffu) << 13u) + (bias << 23u)) | sign);
}

fn pack_halves(v: vec2<f32>) -> u32 {
    return half_bits(v.x) | (half_bits(v.y) << 16u);
}

fn unpack_halves(packed: u32) -> vec2<f32> {
    return vec2<f32>(half_value(packed), half_value(packed >> 16u));
}

// The GPU's own packing, for speed; what is beyond the range of halves becomes their largest, 65504.
fn pack_halves_clamped(v: vec2<f32>) -> u32 {
    return pack2x16float(clamp(v, vec2<f32>(-65504.0), vec2<f32>(65504.0)));
}
