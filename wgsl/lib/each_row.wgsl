// The entry point of a kernel over the rows of views (the last dimension of params.shape), one workgroup a row. A
// kernel that includes this has `row_main(at, lane)`, called by all invocations: `at` are the coordinates of the row's
// first element. Parameters: rank (of params.shape), workgroup_size.
{% include "lib/view.wgsl" %}
{% include "lib/workgroup_index.wgsl" %}

@compute @workgroup_size({{ workgroup_size }})
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let shape = params.shape;
    let row = workgroup_index(group, groups);
    if row < shape.x * shape.y * shape.z {
        row_main(coordinates(row * shape.w, shape), lane);
    }
}
