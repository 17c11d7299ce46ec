// A row's elements from the largest to the smallest, the first of equals first, one a call: each looks through the
// whole row for the largest of those that come after the one found before. All invocations of the workgroup call, all
// get the result. A kernel that includes this has lib/reduce.wgsl with "max", and `element_of(row, i)`, finite.
// Parameters: those of lib/reduce.wgsl.
struct Ranked {
    value: f32,
    id: u32,
}

const LOWEST: f32 = -3.4028234e38;

fn next_largest(row: u32, columns: u32, is_first: bool, before: Ranked, lane: u32) -> Ranked {
    var best = LOWEST;
    var best_id = columns;
    for (var i = lane; i < columns; i += {{ workgroup_size }}u) {
        let value = element_of(row, i);
        let is_after = is_first || value < before.value || (value == before.value && i > before.id);
        if is_after && (value > best || best_id == columns) {
            best = value;
            best_id = i;
        }
    }
    // Of equals the lowest place (places are exact in f32 up to 2^24).
    let winning = workgroup_max(best, lane);
    let place = workgroup_max(select(LOWEST, -f32(best_id), best == winning && best_id < columns), lane);
    return Ranked(winning, u32(-place));
}
