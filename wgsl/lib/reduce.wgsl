// Reductions over a workgroup of {{ workgroup_size }} invocations: all of them call, all get the result, and the
// compiler knows that it is the same for all (so it may decide over loops with barriers).
// Parameters: workgroup_size (a power of two), reductions (a list of "sum", "product", "max", "min"), subgroups.
// The workgroup memory is free again when a call returns.
var<workgroup> reduce_scratch: array<f32, {{ workgroup_size }}>;
var<workgroup> reduce_result: f32;
{% for reduction in reductions %}

fn {{ reduction }}_pair(a: f32, b: f32) -> f32 {
    return {{ {"sum": "a + b", "product": "a * b", "max": "max(a, b)", "min": "min(a, b)"}[reduction] }};
}

fn workgroup_{{ reduction }}(value: f32, lane: u32) -> f32 {
    {% if subgroups %}
    // Each subgroup reduces in registers; what is left is one value a subgroup.
    {% set function = {"sum": "Add", "product": "Mul", "max": "Max", "min": "Min"}[reduction] %}
    let partial = subgroup{{ function }}(value);
    let size = subgroupAdd(1u);
    reduce_scratch[subgroupMin(lane) / size] = partial;
    workgroupBarrier();
    if lane == 0u {
        var result = reduce_scratch[0];
        for (var i = 1u; i < {{ workgroup_size }}u / size; i++) {
            result = {{ reduction }}_pair(result, reduce_scratch[i]);
        }
        reduce_result = result;
    }
    {% else %}
    reduce_scratch[lane] = value;
    workgroupBarrier();
    for (var stride = {{ workgroup_size }}u / 2u; stride > 0u; stride >>= 1u) {
        if lane < stride {
            reduce_scratch[lane] = {{ reduction }}_pair(reduce_scratch[lane], reduce_scratch[lane + stride]);
        }
        workgroupBarrier();
    }
    if lane == 0u {
        reduce_result = reduce_scratch[0];
    }
    {% endif %}
    return workgroupUniformLoad(&reduce_result);
}
{% endfor %}
