// Arithmetic of two views in the place of the first: binary.wgsl, with a being out.
// Parameters: operation ("add", "sub", "mul", "div", "copy"), rank, workgroup_size.
{% set assign = true %}
{% include "binary.wgsl" %}
