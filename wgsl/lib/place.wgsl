// A strided view, and where its elements lie.
struct View {
    strides: vec4<u32>, // in elements, a dimension each
    offset: u32,
}

// Where the element at these coordinates lies in the buffer of `view`.
fn place(view: View, element: vec4<u32>) -> u32 {
    let steps = element * view.strides;
    return view.offset + steps.x + steps.y + steps.z + steps.w;
}
