// The recurrence of RWKV-7 over the tokens of a step, one after the other. Of a head there is the matrix M [SIZE keys,
// SIZE values], and for each token, with the head's part of each vector, r, k and v being those of rkv:
//   w = exp(-exp(-1/2) sigmoid(w0 + decay));  a = sigmoid(a0 + rate);  c = k k_k / max(|k k_k|, 1e-12)
//   k <- k (1 + (a - 1) k_a);  with mixed v <- v + (earlier - v) sigmoid(v0 + blend)
//   M <- w M - (a c) (M^T c)^T + k v^T;  o = M^T r;  with normed o <- (o - mean(o)) / sqrt(variance(o) + eps) ln + ln_b
//   out = o + sum(r k r_k) v
//   rkv f32 [T, rkv_stride]: r, k and v of all heads, side by side, from element rkv_first on
//   decay, rate, blend, earlier f32 [T, .._stride]: elements .._first .. .._first + width
//   constants f32: w0, a0, k_k, k_a, r_k, with normed ln and ln_b, with mixed v0, one after the other, each [width]
//   state f32 [heads, SIZE, SIZE]: M before the step; replaced by that at its end    out f32 [T, width]
// Before position 0 M is 0. Workgroup (head): lane l has value l % SIZE, and the share l / SIZE of its keys, in registers.
// Parameters: size, shares (lanes a value), normed, mixed, workgroup_size.
{% include "lib/step.wgsl" %}
struct Params {
    width: u32,
    eps: f32,
    rkv_first: u32,
    rkv_stride: u32,
    decay_first: u32,
    decay_stride: u32,
    rate_first: u32,
    rate_stride: u32,
    {% if mixed %}
    blend_first: u32,
    blend_stride: u32,
    earlier_first: u32,
    earlier_stride: u32,
    {% endif %}
}

var<uniform> params: Params;
var<uniform> step: Step;
var<storage, read> rkv: array<f32>;
var<storage, read> decay: array<f32>;
var<storage, read> rate: array<f32>;
{% if mixed %}
var<storage, read> blend: array<f32>;
var<storage, read> earlier: array<f32>;
{% endif %}
var<storage, read> constants: array<f32>;
var<storage, read_write> state: array<f32>;
var<storage, read_write> out: array<f32>;

{% set function = "sigmoid" %}
{% include "lib/activations.wgsl" %}

const SIZE: u32 = {{ size }}u;
const SHARES: u32 = {{ shares }}u;
{% set share = size // shares %}
const SHARE: u32 = {{ share }}u; // keys of a lane
const MOST_DECAY: f32 = 0.6065306597; // exp(-1/2)
const LEAST_SQUARE: f32 = 1e-24; // of a length of 1e-12

// Of each key: r, w, k and k k_k; a k k_k; and what is summed over all keys: of k k_k squared, of it times a r, of k r,
// and of r k r_k.
var<workgroup> given: array<vec4<f32>, SIZE>;
var<workgroup> learned: array<f32, SIZE>;
var<workgroup> terms: array<vec4<f32>, SIZE>;
// Each lane's sums over its keys: M^T k k_k and (w M)^T r.
var<workgroup> sums: array<vec2<f32>, {{ workgroup_size }}>;
var<workgroup> sums_of_terms: array<vec4<f32>, SHARES>;
var<workgroup> found: array<f32, SIZE>; // o

// What a lane reads of a token: all of it of the key, or value, of its number.
struct Inputs {
    r: f32,
    k: f32,
    v: f32,
    decay: f32,
    rate: f32,
    {% if mixed %}
    blend: f32,
    earlier: f32,
    {% endif %}
}

fn inputs(t: u32, i: u32) -> Inputs {
    let row = t * params.rkv_stride + params.rkv_first + i;
    return Inputs(
        rkv[row],
        rkv[row + params.width],
        rkv[row + 2u * params.width],
        decay[t * params.decay_stride + params.decay_first + i],
        rate[t * params.rate_stride + params.rate_first + i],
        {% if mixed %}
        blend[t * params.blend_stride + params.blend_first + i],
        earlier[t * params.earlier_stride + params.earlier_first + i],
        {% endif %}
    );
}

fn constant(number: u32, i: u32) -> f32 {
    return constants[number * params.width + i];
}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let value = lane % SIZE;
    let share = lane / SIZE;
    let works = share < SHARES;
    let i = group.x * SIZE + value;
    let w0 = constant(0u, i);
    let a0 = constant(1u, i);
    let k_k = constant(2u, i);
    let k_a = constant(3u, i);
    let r_k = constant(4u, i);
    {% if normed %}
    let ln = constant(5u, i);
    let ln_b = constant(6u, i);
    {% endif %}
    {% if mixed %}
    let v0 = constant({{ "7u" if normed else "5u" }}, i);
    {% endif %}

    var m: array<f32, SHARE>;
    let place = (group.x * SIZE + share * SHARE) * SIZE + value;
    if works && step.position > 0u {
        {% for j in range(share) %}
        m[{{ j }}] = state[place + {{ j }}u * SIZE];
        {% endfor %}
    }
    // What comes next is read before what is there is used.
    var next = inputs(0u, i);
    for (var t = 0u; t < step.count; t++) {
        let now = next;
        next = inputs(min(t + 1u, step.count - 1u), i);
        let v = now.v{{ " + (now.earlier - now.v) * sigmoid(v0 + now.blend)" if mixed }};
        if share == 0u {
            let a = sigmoid(a0 + now.rate);
            let k = now.k * (1.0 + (a - 1.0) * k_a);
            let c = now.k * k_k;
            given[value] = vec4<f32>(now.r, exp(-MOST_DECAY * sigmoid(w0 + now.decay)), k, c);
            learned[value] = a * c;
            terms[value] = vec4<f32>(c * c, a * c * now.r, k * now.r, now.r * k * r_k);
        }
        workgroupBarrier();
        var own = vec2<f32>();
        if works {
            {% for j in range(share) %}
            {
                let key = given[share * SHARE + {{ j }}u];
                own.x += m[{{ j }}] * key.w;
                m[{{ j }}] *= key.y;
                own.y += m[{{ j }}] * key.x;
            }
            {% endfor %}
            if value == 0u {
                var own_terms = vec4<f32>();
                for (var j = 0u; j < SHARE; j++) {
                    own_terms += terms[share * SHARE + j];
                }
                sums_of_terms[share] = own_terms;
            }
        }
        sums[lane] = own;
        workgroupBarrier();
        var all = vec2<f32>();
        var all_terms = vec4<f32>();
        for (var other = 0u; other < SHARES; other++) {
            all += sums[other * SIZE + value];
            all_terms += sums_of_terms[other];
        }
        let forgotten = all.x / max(all_terms.x, LEAST_SQUARE);
        if works {
            {% for j in range(share) %}
            {
                let key = share * SHARE + {{ j }}u;
                m[{{ j }}] += given[key].z * v - learned[key] * forgotten;
            }
            {% endfor %}
        }
        var o = all.y - all_terms.y * forgotten + all_terms.z * v;
        if share == 0u {
            found[value] = o;
        }
        workgroupBarrier();
        if share == 0u {
            {% if normed %}
            var mean = 0.0;
            for (var other = 0u; other < SIZE; other++) {
                mean += found[other];
            }
            mean /= f32(SIZE);
            var variance = 0.0;
            for (var other = 0u; other < SIZE; other++) {
                variance += (found[other] - mean) * (found[other] - mean);
            }
            o = (o - mean) * inverseSqrt(variance / f32(SIZE) + params.eps) * ln + ln_b;
            {% endif %}
            out[t * params.width + i] = o + all_terms.w * v;
        }
    }
    if works {
        {% for j in range(share) %}
        state[place + {{ j }}u * SIZE] = m[{{ j }}];
        {% endfor %}
    }
}
