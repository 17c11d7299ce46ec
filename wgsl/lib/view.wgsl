// The elements of strided views, by one index. Parameter: rank, how many of the four dimensions (the last ones) may be
// more than 1 long.
{% include "lib/place.wgsl" %}

// The coordinates of element `index` of `shape`, whose last dimension runs fastest.
fn coordinates(index: u32, shape: vec4<u32>) -> vec4<u32> {
    var found = vec4<u32>(0u);
    var rest = index;
    {% for d in range(3, 4 - rank, -1) %}
    found[{{ d }}] = rest % shape[{{ d }}];
    rest /= shape[{{ d }}];
    {% endfor %}
    found[{{ 4 - rank }}] = rest;
    return found;
}
