// Products of each head of many tokens with a matrix of its own: linear_tile.wgsl, with an expert a head.
// Parameters: the others of it.
{% set experts, accumulate, row_scale, bias = "heads", false, false, false %}
{% include "linear_tile.wgsl" %}
