// What attention weighs the values by, to be looked at: the softmax of each query's scores over all positions.
//   q f32 [T, heads, head_dim]    k_cache [context, kv_heads, head_dim]: see lib/append.wgsl
//   out f32 [heads, rows.count, rows.length]: 0 for positions that a token does not see
// Workgroup (head, t) writes a row, an invocation every {{ workgroup_size }}th pair of positions: first the scores, and
// once all are there what becomes of them. Each invocation reads again only what it has written itself.
// Parameters: those of lib/attention.wgsl; workgroup_size.
{% set reductions = ["sum", "max"] %}
{% set workgroup = true %}
{% include "lib/attention.wgsl" %}
{% include "lib/reduce.wgsl" %}
{% include "lib/softmax.wgsl" %}

struct Rows {
    count: u32,
    length: u32, // even
}

var<uniform> rows: Rows;

var<workgroup> query: array<vec4<f32>, QUADS>;

fn score(head: u32, t: u32, position: u32) -> f32 {
    let row = position * params.kv_heads + head / (params.heads / params.kv_heads);
    var sum = 0.0;
    for (var i = 0u; i < OCTETS; i++) {
        let key = k_octet(row, i);
        sum += dot(query[2u * i], key.low) + dot(query[2u * i + 1u], key.high);
    }
    {% if alibi %}
    return capped(sum) - slope(head) * abs(f32(position) - f32(step.position + t));
    {% else %}
    return capped(sum);
    {% endif %}
}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let head = workgroup.x;
    let t = workgroup.y;
    if t >= step.count {
        return;
    }
    for (var i = lane; i < QUADS; i += {{ workgroup_size }}u) {
        query[i] = query_quad((t * params.heads + head) * (HEAD_DIM / 2u), i);
    }
    workgroupBarrier();

    let positions = seen(t);
    let origin = (head * rows.count + t) * (rows.length / 2u);
    var own = SOFTMAX_EMPTY;
    {% if sinks %}
    if lane == 0u {
        own = Softmax(sinks[head], 1.0);
    }
    {% endif %}
    for (var i = lane; i < rows.length / 2u; i += {{ workgroup_size }}u) {
        var scores = vec2<f32>(LOWEST); // which weighs nothing
        for (var j = 0u; j < 2u; j++) {
            let position = 2u * i + j;
            if position >= positions.x && position < positions.y {
                scores[j] = score(head, t, position);
                own = softmax_add(own, scores[j]);
            }
        }
        out[origin + i] = scores;
    }
    let all = workgroup_softmax(own, lane);
    for (var i = lane; i < rows.length / 2u; i += {{ workgroup_size }}u) {
        let scores = out[origin + i];
        out[origin + i] = vec2<f32>(softmax_weight(all, scores.x), softmax_weight(all, scores.y));
    }
}
