// Matrix times vector with quantized weights:
//   out[first + n] = sum_k W[n, k] x[k] (+ bias[first + n]) (+ out[first + n])
//   weights: blocks of W [rows, columns]    x f32 [columns]    out f32 [.., first + rows, ..]    bias f32, as out
// `lanes` invocations share a row, each taking every `lanes`-th octet, so that neighbours read neighbouring words.
// Parameters: type, tail (columns is no multiple of 8), lanes, workgroup_size (a multiple of lanes), bias, accumulate,
// subgroups (lanes fit one subgroup).
struct Params {
    columns: u32,
    row_bytes: u32,
    rows: u32,
    first: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<{{ "f32" if tail else "vec4<f32>" }}>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
{% if bias %}
@group(0) @binding(4) var<storage, read> bias: array<f32>;
{% endif %}

{% set weights_binding = 1 %}
{% set grid_binding = 5 if bias else 4 %}
{% include "lib/octets.wgsl" %}
{% include "lib/load_quad.wgsl" %}
{% include "lib/workgroup_index.wgsl" %}

const LANES: u32 = {{ lanes }}u;
const ROWS: u32 = {{ workgroup_size // lanes }}u;

{% if not subgroups %}
var<workgroup> partial: array<f32, {{ workgroup_size }}>;
{% endif %}

@compute @workgroup_size({{ workgroup_size }})
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let lane = index % LANES;
    let row = workgroup_index(group, groups) * ROWS + index / LANES;
    var sum = 0.0;
    if row < params.rows {
        for (var i = lane; i < octets_of_row(); i += LANES) {
            let w = load_octet(row, i);
            let column = octet_column(i);
            sum += dot(w.low, load_quad(0u, column)) + dot(w.high, load_quad(0u, column + HIGH));
        }
    }
    {% if subgroups %}
    for (var stride = LANES / 2u; stride > 0u; stride >>= 1u) {
        sum += subgroupShuffleXor(sum, stride);
    }
    {% else %}
    partial[index] = sum;
    workgroupBarrier();
    for (var stride = LANES / 2u; stride > 0u; stride >>= 1u) {
        if lane < stride {
            partial[index] += partial[index + stride];
        }
        workgroupBarrier();
    }
    sum = partial[index];
    {% endif %}
    if lane == 0u && row < params.rows {
        let at = params.first + row;
        {% if bias %}
        sum += bias[at];
        {% endif %}
        {% if accumulate %}
        sum += out[at];
        {% endif %}
        out[at] = sum;
    }
}
