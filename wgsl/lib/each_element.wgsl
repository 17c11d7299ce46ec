// The entry point of a kernel over the elements of views of one shape (params.shape), one invocation an element. A
// kernel that includes this has `element_main(at)`, where `at` are the element's coordinates.
// Parameters: rank (of params.shape), workgroup_size.
{% include "lib/view.wgsl" %}
{% include "lib/workgroup_index.wgsl" %}

@compute @workgroup_size({{ workgroup_size }})
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let shape = params.shape;
    let index = workgroup_index(group, groups) * {{ workgroup_size }}u + lane;
    if index < shape.x * shape.y * shape.z * shape.w {
        element_main(coordinates(index, shape));
    }
}
