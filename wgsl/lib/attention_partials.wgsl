// The partials of attention_vector.wgsl put together: each counts by its weights relative to the highest score of all.
//   partials f32 [T, splits, heads, head_dim]: values not yet divided by the sum of their weights; after those of the
//   step's T tokens [T, heads, splits, 2]: the highest score, and the sum of weights relative to it
// Parameters: partials (the name of the binding), splits, merged_word (its elements: "vec2<f32>", or "vec4<f32>" where
// splits is even).

// A word of attention's result. first: the word of the first partial; stride: words from one partial to the next;
// states: the word of the first partial's state. All are read at once, before anything waits for them.
{% set states_of_word = 2 if merged_word == "vec4<f32>" else 1 %}
fn merged(first: u32, stride: u32, states: u32) -> {{ merged_word }} {
    {% for i in range(splits // states_of_word) %}
    let states_{{ i }} = {{ partials }}[states + {{ i }}u];
    {% endfor %}
    {% for i in range(splits) %}
    let partial_{{ i }} = {{ partials }}[first + {{ i }}u * stride];
    let state_{{ i }} = states_{{ i // states_of_word }}.{{ "zw" if i % states_of_word else "xy" }};
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
    value += weight_{{ i }} * partial_{{ i }};
    {% endfor %}
    return value / total;
}
