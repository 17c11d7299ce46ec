// Products of many tokens with the matrices of a mixture's experts: linear_tile.wgsl, with experts.
// Parameters: the others of it.
{% set experts, accumulate = "chosen", false %}
{% include "linear_tile.wgsl" %}
