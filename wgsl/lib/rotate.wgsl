// Rotary position embedding. A kernel that includes this has `rotations`, vec2<f32> [positions, ROTARY_PAIRS] (cosine
// and sine of each pair's angle at each position), and `element_of(head, element)`, an element of the head that starts
// at `head`. Parameters: rotary_dim (elements rotated, from the first on), pairing ("norm": element 2i with 2i + 1,
// "neox": element i with i + rotary_dim / 2).
const ROTARY_PAIRS: u32 = {{ rotary_dim // 2 }}u;

// Elements `element` and `element + 1` of the head that starts at `head`, rotated.
fn rotated(head: u32, element: u32, position: u32) -> vec2<f32> {
    let pair = vec2<f32>(element_of(head, element), element_of(head, element + 1u));
    if element >= 2u * ROTARY_PAIRS {
        return pair;
    }
    let angles = position * ROTARY_PAIRS;
    {% if pairing == "norm" %}
    let r = rotations[angles + element / 2u];
    return vec2<f32>(pair.x * r.x - pair.y * r.y, pair.x * r.y + pair.y * r.x);
    {% else %}
    let is_first = element < ROTARY_PAIRS;
    let other = select(element - ROTARY_PAIRS, element + ROTARY_PAIRS, is_first);
    let partners = select(1.0, -1.0, is_first) * vec2<f32>(element_of(head, other), element_of(head, other + 1u));
    let r0 = rotations[angles + element % ROTARY_PAIRS];
    let r1 = rotations[angles + (element + 1u) % ROTARY_PAIRS];
    return pair * vec2<f32>(r0.x, r1.x) + partners * vec2<f32>(r0.y, r1.y);
    {% endif %}
}
