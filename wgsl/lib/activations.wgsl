// `activation(x, a, b)`, the function of one number that the parameter `function` names; a and b are its parameters,
// where it has any. Nothing overflows on the way to a result that does not: exp sees nothing above 87.
// Parameter: function.
const SQRT_2_OVER_PI: f32 = 0.7978845608;
const SQRT_HALF: f32 = 0.7071067812;
const EXP_LIMIT: f32 = 87.0; // exp of it and of its negative are normal numbers of f32

{% include "lib/tanh.wgsl" %}

fn sigmoid(x: f32) -> f32 {
    let e = exp(-min(abs(x), EXP_LIMIT));
    return select(1.0, e, x < 0.0) / (1.0 + e);
}

// The normal distribution function (1 + erf(x / sqrt(2))) / 2, by a fit of erfc whose relative error is below 1.2e-7:
// Press et al., "Numerical Recipes", 2nd edition, section 6.2.
fn normal_cdf(x: f32) -> f32 {
    let z = min(abs(x) * SQRT_HALF, 9.0);
    let t = 1.0 / (1.0 + 0.5 * z);
    var fit = 0.17087277;
    fit = fit * t - 0.82215223;
    fit = fit * t + 1.48851587;
    fit = fit * t - 1.13520398;
    fit = fit * t + 0.27886807;
    fit = fit * t - 0.18628806;
    fit = fit * t + 0.09678418;
    fit = fit * t + 0.37409196;
    fit = fit * t + 1.00002368;
    fit = fit * t - 1.26551223;
    let tail = 0.5 * t * exp(fit - z * z);
    return select(1.0 - tail, tail, x < 0.0);
}

// exp(x) - 1 for x <= 0, with all its digits near 0.
fn exp_minus_1(x: f32) -> f32 {
    return stable_tanh(0.5 * x) * (exp(max(x, -EXP_LIMIT)) + 1.0);
}

fn silu(x: f32) -> f32 {
    return x * sigmoid(x);
}

fn gelu_tanh(x: f32) -> f32 {
    let c = clamp(x, -TANH_LIMIT, TANH_LIMIT);
    return x * sigmoid(2.0 * SQRT_2_OVER_PI * (c + 0.044715 * c * c * c));
}

fn activation(x: f32, a: f32, b: f32) -> f32 {
    return {{ {
        "abs": "abs(x)",
        "sgn": "sign(x)",
        "neg": "-x",
        "step": "select(0.0, 1.0, x > 0.0)",
        "elu": "select(a * exp_minus_1(min(x, 0.0)), x, x > 0.0)",
        "gelu": "gelu_tanh(x)",
        "gelu_quick": "x * sigmoid(1.702 * x)",
        "gelu_erf": "x * normal_cdf(x)",
        "silu": "silu(x)",
        "tanh": "stable_tanh(x)",
        "relu": "max(x, 0.0)",
        "relu2": "max(x, 0.0) * max(x, 0.0)",
        "sigmoid": "sigmoid(x)",
        "hard_sigmoid": "clamp(x / 6.0 + 0.5, 0.0, 1.0)",
        "hard_swish": "x * clamp(x / 6.0 + 0.5, 0.0, 1.0)",
        "xielu": "0.5 * x + select(b * (exp_minus_1(min(x, 0.0)) - x), a * x * x, x > 0.0)",
        "sqr": "x * x",
        "sqrt": "sqrt(x)",
        "log": "log(x)",
        "leaky_relu": "max(x, 0.0) + a * min(x, 0.0)",
        "soft_cap": "a * stable_tanh(x / a)",
        "clamp": "clamp(x, a, b)",
        "scale": "x * a",
        "add_scalar": "x + a",
    }[function] }};
}
