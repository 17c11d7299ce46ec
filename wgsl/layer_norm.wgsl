// LayerNorm of rows: out[t] = (x[t] - mean(x[t])) / sqrt(variance(x[t]) + eps) * weight (+ bias); see lib/norm.wgsl.
// Parameters: last, bias, quads, workgroup_size, subgroups.
{% set centred, weighted, accumulate, times = true, true, false, false %}
{% include "lib/norm.wgsl" %}
