// Matrix times vector with quantized weights:
//   out[first + n] = sum_k W[n, k] x[k] (+ bias[first + n]) (+ out[first + n])
//   weights: blocks of W [rows, columns]    x f32 [columns]    out f32 [.., first + rows, ..]    bias f32, as out
// `lanes` invocations share a row, each taking every `lanes`-th octet, so that neighbours read neighbouring words.
// What usually comes before and after is part of it on demand: with norm, x is first scaled to a root mean square of 1
// and multiplied by norm_weight (f32 [columns]), by each workgroup for itself; with function, W has 2 rows rows, and
// what is written is function(row n) * row n + rows.
// Parameters: type, tail (columns is no multiple of 8), lanes, workgroup_size (a multiple of lanes), bias, accumulate,
// norm (not with tail), function (of lib/activations.wgsl, or false; not with bias), subgroups (lanes fit a subgroup).
struct Params {
    columns: u32,
    row_bytes: u32,
    rows: u32,
    first: u32,
    {% if norm %}
    eps: f32,
    {% endif %}
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<{{ "f32" if tail else "vec4<f32>" }}>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
{% if bias %}
@group(0) @binding(4) var<storage, read> bias: array<f32>;
{% endif %}
{% if norm %}
@group(0) @binding({{ 5 if bias else 4 }}) var<storage, read> norm_weight: array<vec4<f32>>;
{% endif %}

{% set weights_binding = 1 %}
{% set grid_binding = 4 + (bias | int) + (norm | int) %}
{% include "lib/octets.wgsl" %}
{% include "lib/load_quad.wgsl" %}
{% include "lib/workgroup_index.wgsl" %}
{% if norm %}
{% set reductions = ["sum"] %}
{% include "lib/reduce.wgsl" %}
{% endif %}
{% if function %}
{% include "lib/activations.wgsl" %}
{% endif %}

const LANES: u32 = {{ lanes }}u;
const ROWS: u32 = {{ workgroup_size // lanes }}u;

// The sums of a row, or of the two rows that make one number.
{% set sums = "vec2<f32>" if function else "f32" %}
{% if not subgroups %}
var<workgroup> partial: array<{{ sums }}, {{ workgroup_size }}>;
{% endif %}

// Octet `i` of row `row` times that of x.
fn product(row: u32, i: u32, low: vec4<f32>, high: vec4<f32>) -> f32 {
    let w = load_octet(row, i);
    return dot(w.low, low) + dot(w.high, high);
}

@compute @workgroup_size({{ workgroup_size }})
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let lane = index % LANES;
    let row = workgroup_index(group, groups) * ROWS + index / LANES;
    {% if norm %}
    var squares = 0.0;
    for (var i = index; i < params.columns / 4u; i += {{ workgroup_size }}u) {
        squares += dot(x[i], x[i]);
    }
    let scale = inverseSqrt(workgroup_sum(squares, index) / f32(params.columns) + params.eps);
    {% endif %}
    var sum = {{ sums }}();
    if row < params.rows {
        for (var i = lane; i < octets_of_row(); i += LANES) {
            let column = octet_column(i);
            {% if norm %}
            let low = x[column / 4u] * norm_weight[column / 4u];
            let high = x[(column + HIGH) / 4u] * norm_weight[(column + HIGH) / 4u];
            {% else %}
            let low = load_quad(0u, column);
            let high = load_quad(0u, column + HIGH);
            {% endif %}
            {% if function %}
            sum += vec2<f32>(product(row, i, low, high), product(row + params.rows, i, low, high));
            {% else %}
            sum += product(row, i, low, high);
            {% endif %}
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
        {% if norm %}
        sum *= scale;
        {% endif %}
        {% if function %}
        let result = activation(sum.x, 0.0, 0.0) * sum.y;
        {% else %}
        let result = sum{{ " + bias[at]" if bias }};
        {% endif %}
        out[at] = result{{ " + out[at]" if accumulate }};
    }
}
