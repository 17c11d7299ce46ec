// RMSNorm of rows: out[t] = x[t] / sqrt(mean(x[t]^2) + eps) * weight (+ out[t]); see lib/norm.wgsl.
// Parameters: weighted, last, accumulate, workgroup_size, subgroups.
{% set centred, bias = false, false %}
{% include "lib/norm.wgsl" %}
