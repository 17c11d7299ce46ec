// `gate(x, value)`: what a gated activation makes of a pair. Parameter: function, one of lib/activations.wgsl, which
// the value is multiplied by; or "swiglu_oai", that of gpt-oss: GELU in its sigmoid form of x up to a limit, times 1 +
// the value within it; or "bilinear", which leaves x as it is.
{% set limited = function == "swiglu_oai" %}
{% set function = "gelu_quick" if limited else function %}
{% if function != "bilinear" %}
{% include "lib/activations.wgsl" %}
{% endif %}
{% if limited %}
const GATE_LIMIT: f32 = 7.0;
{% endif %}

fn gate(x: f32, value: f32) -> f32 {
    {% if limited %}
    return activation(min(x, GATE_LIMIT), 0.0, 0.0) * (1.0 + clamp(value, -GATE_LIMIT, GATE_LIMIT));
    {% else %}
    return {{ "x" if function == "bilinear" else "activation(x, 0.0, 0.0)" }} * value;
    {% endif %}
}
