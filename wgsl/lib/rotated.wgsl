// A kernel that includes this has `rotations` (see lib/rotate.wgsl) and `element_of(head, element)`, an element of the
// head that starts at `head`.
{% include "lib/rotate.wgsl" %}

// Elements `element` and `element + 1` of the head that starts at `head`, rotated.
fn rotated(head: u32, element: u32, position: u32) -> vec2<f32> {
    let pair = vec2<f32>(element_of(head, element), element_of(head, element + 1u));
    if element >= 2u * ROTARY_PAIRS {
        return pair;
    }
    let angles = position * ROTARY_PAIRS;
    {% if pairing == "norm" %}
    return rotate(pair, rotations[angles + element / 2u]);
    {% else %}
    let is_first = element < ROTARY_PAIRS;
    let other = select(element - ROTARY_PAIRS, element + ROTARY_PAIRS, is_first);
    let partners = select(1.0, -1.0, is_first) * vec2<f32>(element_of(head, other), element_of(head, other + 1u));
    let r0 = rotations[angles + element % ROTARY_PAIRS];
    let r1 = rotations[angles + (element + 1u) % ROTARY_PAIRS];
    return pair * vec2<f32>(r0.x, r1.x) + partners * vec2<f32>(r0.y, r1.y);
    {% endif %}
}
