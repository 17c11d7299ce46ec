// Products of each head of a token with a matrix of its own: linear_vector.wgsl, with an expert a head.
// Parameters: the others of it.
{% set experts, splits, row_scale, bias = "heads", 0, false, false %}
{% set accumulate, sum, times, norm, function, apart, pairing = false, false, false, false, false, false, false %}
{% include "linear_vector.wgsl" %}
