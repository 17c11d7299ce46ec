// Where the elements of strided views lie. Parameter: rank, how many of the four dimensions (the last ones) are more
// than 1 long.
struct View {
    strides: vec4<u32>, // in elements, a dimension each
    offset: u32,
}

// The coordinates of element `index` of `shape`, whose last dimension runs fastest.
fn coordinates(index: u32, shape: vec4<u32>) -> vec4<u32> {
    var at = vec4<u32>(0u);
    var rest = index;
    {% for d in range(3, 4 - rank, -1) %}
    at[{{ d }}] = rest % shape[{{ d }}];
    rest /= shape[{{ d }}];
    {% endfor %}
    at[{{ 4 - rank }}] = rest;
    return at;
}

// Where the element at these coordinates lies in the buffer of `view`.
fn place(view: View, at: vec4<u32>) -> u32 {
    let steps = at * view.strides;
    return view.offset + steps.x + steps.y + steps.z + steps.w;
}
