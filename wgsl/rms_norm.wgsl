// RMSNorm of rows: out[t] = factor (x[t] / sqrt(mean(x[t]^2) + eps) * weight (+ out[t])); see lib/norm.wgsl.
// Parameters: weighted, last, accumulate, times, quads, workgroup_size, subgroups.
{% set centred, bias = false, false %}
{% include "lib/norm.wgsl" %}
