// Runs `body` once for each row of x, which is to write the row of y. One invocation a row.
// Parameters: pieces (the names of the files that body needs, in order, and the parameters they take), rows, body.
{% for piece in pieces %}
{% include piece ~ ".wgsl" %}

{% endfor %}
var<storage, read> x: array<u32>;
var<storage, read_write> y: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = id.x;
    if row >= {{ rows }}u {
        return;
    }
    {{ body }}
}
