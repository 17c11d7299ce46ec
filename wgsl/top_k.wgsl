// The k largest elements of each row of a view, largest first, the first of equals first: their places in the row, and
// themselves. `splits` workgroups share a row; each leaves the k largest of its share in `partials`, and a second
// dispatch, with one workgroup a row, picks among those.
//   partials [rows, splits, k]: see `Ranked`
// The least of the k is found by radix selection, eight bits at a time from the highest on: how many of the elements
// that agree with it so far have each value of the next eight. Then those from it on are collected and sorted
// (bitonically: Batcher, "Sorting networks and their applications", AFIPS 1968).
// Parameters: workgroup_size (256), from_partials, to_partials, with_values, rank, capacity (a power of two from k on,
// at most 1024).
// Workgroup memory: capacity times 8 bytes, and 2.1 KiB.
{% include "lib/view.wgsl" %}
{% include "lib/workgroup_index.wgsl" %}
struct Params {
    shape: vec4<u32>,
    ids: View,
    values: View,
    x: View,
    k: u32,
    splits: u32, // of a row
}

// An element as the two numbers by which elements are ordered, the first before the second: a key that grows with its
// value, and its place with all bits turned. Of no element: zeros.
alias Ranked = vec2<u32>;

var<uniform> params: Params;
{% if not from_partials %}
var<storage, read> x: array<f32>;
{% else %}
var<storage, read> partials: array<Ranked>;
{% endif %}
{% if to_partials %}
var<storage, read_write> partials_out: array<Ranked>;
{% else %}
var<storage, read_write> ids: array<u32>;
{% if with_values %}
var<storage, read_write> values: array<f32>;
{% endif %}
{% endif %}

const CAPACITY: u32 = {{ capacity }}u;
const DIGIT_BITS: u32 = 8u;
const DIGITS_OF_WORD: u32 = 4u;
const THREADS: u32 = {{ workgroup_size }}u; // as many as a digit has values

var<workgroup> histogram: array<atomic<u32>, THREADS>;
var<workgroup> sums: array<u32, THREADS>;
var<workgroup> found: vec3<u32>;
var<workgroup> chosen_count: atomic<u32>;
var<workgroup> chosen: array<Ranked, CAPACITY>;
{% if not from_partials %}

// Order-preserving map of f32 to u32, in which 0 and -0 are the same, and its inverse.
fn key_of(value: f32) -> u32 {
    let bits = bitcast<u32>(select(value, 0.0, value == 0.0));
    return select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u);
}
{% endif %}
{% if with_values and not to_partials %}

fn value_of(key: u32) -> f32 {
    return bitcast<f32>(select(~key, key & 0x7fffffffu, (key >> 31u) == 1u));
}
{% endif %}

fn is_before(a: Ranked, b: Ranked) -> bool {
    return a.x > b.x || (a.x == b.x && a.y > b.y);
}

// Element `i` of the row that starts at `row`.
fn load_element(row: u32, i: u32) -> Ranked {
    {% if not from_partials %}
    return Ranked(key_of(x[row + i * params.x.strides.w]), ~i);
    {% else %}
    return partials[row + i];
    {% endif %}
}

// The least of the `count` first elements from `begin` to `end` of a row, or a number that lies between it and the
// next.
fn threshold(row: u32, begin: u32, end: u32, count: u32, lane: u32) -> Ranked {
    var prefix = Ranked(0u);
    var mask = Ranked(0u);
    var wanted = count; // of the elements that agree with the prefix
    for (var digit = 0u; digit < 2u * DIGITS_OF_WORD; digit++) {
        let word = digit / DIGITS_OF_WORD;
        let shift = DIGIT_BITS * (DIGITS_OF_WORD - 1u - digit % DIGITS_OF_WORD);
        atomicStore(&histogram[lane], 0u);
        workgroupBarrier();
        for (var i = begin + lane; i < end; i += THREADS) {
            let element = load_element(row, i);
            if all((element & mask) == prefix) {
                atomicAdd(&histogram[(element[word] >> shift) % THREADS], 1u);
            }
        }
        workgroupBarrier();
        // How many have this value of the digit or a higher one.
        let own = atomicLoad(&histogram[lane]);
        var sum = own;
        for (var distance = 1u; distance < THREADS; distance <<= 1u) {
            sums[lane] = sum;
            workgroupBarrier();
            if lane + distance < THREADS {
                sum += sums[lane + distance];
            }
            workgroupBarrier();
        }
        if sum >= wanted && sum - own < wanted {
            found = vec3<u32>(lane, wanted - (sum - own), own);
        }
        let next = workgroupUniformLoad(&found);
        prefix[word] |= next.x << shift;
        mask[word] |= (THREADS - 1u) << shift;
        wanted = next.y;
        if next.y == next.z {
            break; // all of them are wanted
        }
    }
    return prefix;
}

// Puts `chosen` in order.
fn sort_chosen(lane: u32) {
    for (var size = 2u; size <= CAPACITY; size <<= 1u) {
        for (var stride = size / 2u; stride > 0u; stride >>= 1u) {
            for (var i = lane; i < CAPACITY / 2u; i += THREADS) {
                let low = 2u * i - i % stride;
                let a = chosen[low];
                let b = chosen[low + stride];
                if is_before(b, a) == ((low & size) == 0u) {
                    chosen[low] = b;
                    chosen[low + stride] = a;
                }
            }
            workgroupBarrier();
        }
    }
}

@compute @workgroup_size({{ workgroup_size }})
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let shape = params.shape;
    let index = workgroup_index(group, groups);
    {% if to_partials %}
    let row = index / params.splits;
    {% else %}
    let row = index;
    {% endif %}
    if row >= shape.x * shape.y * shape.z {
        return;
    }
    let row_start = coordinates(row * shape.w, shape);
    {% if not from_partials %}
    let from_row = place(params.x, row_start);
    let length = shape.w;
    {% else %}
    let length = params.splits * params.k;
    let from_row = row * length;
    {% endif %}
    {% if to_partials %}
    let share = (length + params.splits - 1u) / params.splits;
    let begin = min(index % params.splits * share, length);
    let end = min(begin + share, length);
    {% else %}
    let begin = 0u;
    let end = length;
    {% endif %}

    for (var i = lane; i < CAPACITY; i += THREADS) {
        chosen[i] = Ranked(0u);
    }
    atomicStore(&chosen_count, 0u); // not every driver does
    if begin < end {
        let least = threshold(from_row, begin, end, min(params.k, end - begin), lane);
        for (var i = begin + lane; i < end; i += THREADS) {
            let element = load_element(from_row, i);
            if !is_before(least, element) {
                let slot = atomicAdd(&chosen_count, 1u);
                chosen[slot] = element;
            }
        }
    }
    workgroupBarrier();
    sort_chosen(lane);

    for (var j = lane; j < params.k; j += THREADS) {
        let element = chosen[j];
        {% if to_partials %}
        partials_out[index * params.k + j] = element;
        {% else %}
        ids[place(params.ids, row_start) + j * params.ids.strides.w] = ~element.y;
        {% if with_values %}
        values[place(params.values, row_start) + j * params.values.strides.w] = value_of(element.x);
        {% endif %}
        {% endif %}
    }
}
