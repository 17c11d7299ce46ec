// The index of this workgroup when a long count of workgroups is folded into two dimensions (Program.dispatch).
fn workgroup_index(id: vec3<u32>, count: vec3<u32>) -> u32 {
    return id.y * count.x + id.x;
}
