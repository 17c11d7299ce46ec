// The parts of attention_vector.wgsl put together: each counts by its weights relative to the highest score of all.
//   parts f32 [T, splits, heads, head_dim]: values not yet divided by the sum of their weights; after those of the
//   step's T tokens [T, heads, splits, 2]: the highest score, and the sum of weights relative to it
// Parameters: parts (the name of the binding), splits, merged_word (its elements: "vec2<f32>" or "vec4<f32>").

// State `i`, counted in pairs from the buffer's begin.
fn part_state(i: u32) -> vec2<f32> {
    {% if merged_word == "vec2<f32>" %}
    return {{ parts }}[i];
    {% else %}
    let two = {{ parts }}[i / 2u];
    return select(two.xy, two.zw, i % 2u == 1u);
    {% endif %}
}

// A word of attention's result. first: the word of the first part; stride: words from one part to the next; state: the
// first part's state. All are read at once, before anything waits for them.
fn merged(first: u32, stride: u32, state: u32) -> {{ merged_word }} {
    {% for i in range(splits) %}
    let part_{{ i }} = {{ parts }}[first + {{ i }}u * stride];
    let state_{{ i }} = part_state(state + {{ i }}u);
    {% endfor %}
    var highest = state_0.x;
    {% for i in range(1, splits) %}
    highest = max(highest, state_{{ i }}.x);
    {% endfor %}
    var total = 0.0;
    var value = {{ merged_word }}(0.0);
    {% for i in range(splits) %}
    let weight_{{ i }} = exp(state_{{ i }}.x - highest);
    total += weight_{{ i }} * state_{{ i }}.y;
    value += weight_{{ i }} * part_{{ i }};
    {% endfor %}
    return value / total;
}
