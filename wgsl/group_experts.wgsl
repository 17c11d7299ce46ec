// The slots of a step's tokens by their experts, in tiles of `tile_slots` slots at most, for linear_experts_tile.wgsl.
//   ids u32 [T slots]    order u32 [T slots]: slots, those of expert 0 first, each expert's from the first token on
//   tiles [max_tiles]: runs of `order` within an expert; those that are not needed have a count of 0
// One workgroup; an invocation has an expert, and looks at all slots for its own. Parameters: experts (a word of
// workgroup memory each), workgroup_size.
{% include "lib/step.wgsl" %}
{% include "lib/tile.wgsl" %}
struct Params {
    slots: u32,
    tile_slots: u32,
    max_tiles: u32,
}

var<uniform> params: Params;
var<uniform> step: Step;
var<storage, read> ids: array<u32>;
var<storage, read_write> tiles: array<Tile>;
var<storage, read_write> order: array<u32>;

const EXPERTS: u32 = {{ experts }}u;

var<workgroup> counts: array<u32, EXPERTS>;

fn tiles_of(count: u32) -> u32 {
    return (count + params.tile_slots - 1u) / params.tile_slots;
}

@compute @workgroup_size({{ workgroup_size }})
fn main(@builtin(local_invocation_index) lane: u32) {
    let end = step.count * params.slots;
    for (var expert = lane; expert < EXPERTS; expert += {{ workgroup_size }}u) {
        var count = 0u;
        for (var i = 0u; i < end; i++) {
            count += u32(ids[i] == expert);
        }
        counts[expert] = count;
    }
    workgroupBarrier();
    for (var expert = lane; expert < EXPERTS; expert += {{ workgroup_size }}u) {
        var first = 0u;
        var tile = 0u;
        for (var before = 0u; before < expert; before++) {
            first += counts[before];
            tile += tiles_of(counts[before]);
        }
        let last = first + counts[expert];
        for (var slot = first; slot < last; slot += params.tile_slots) {
            tiles[tile] = Tile(expert, slot, min(last - slot, params.tile_slots));
            tile++;
        }
        for (var i = 0u; i < end; i++) {
            if ids[i] == expert {
                order[first] = i;
                first++;
            }
        }
        if expert == EXPERTS - 1u {
            for (; tile < params.max_tiles; tile++) {
                tiles[tile] = Tile(0u, 0u, 0u);
            }
        }
    }
}
