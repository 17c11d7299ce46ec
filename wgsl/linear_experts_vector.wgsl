// Products of few tokens with the matrices of a mixture's experts: linear_vector.wgsl, with experts.
// Parameters: the others of it.
{% set experts, splits = "chosen", 0 %}
{% set accumulate, sum, times, norm, function, apart, pairing = false, false, false, false, false, false, false %}
{% set activated = false %}
{% include "linear_vector.wgsl" %}
