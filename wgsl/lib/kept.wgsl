// Which tokens may be drawn: those whose logits lie between two bounds, which each sampler narrows. The bounds are keys,
// which have the order of the logits; where one is sought, it is by bisection over the bits.
// for_each_logit, `logits`, `row`, `params`, LOWEST, THREADS and workgroup_sum are the kernel's.

struct Kept {
    low: u32,
    high: u32,
    highest: f32, // of the logits that are kept, or of all: what probabilities are relative to
}

{% if tuned %}
var<private> sharpness: f32 = 1.0; // by which logits are multiplied before they are probabilities
{% endif %}

// Order-preserving map of f32 to u32.
fn key_of(value: f32) -> u32 {
    let bits = bitcast<u32>(value);
    return select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u);
}

fn is_kept(logit: f32, kept: Kept) -> bool {
    let key = key_of(logit);
    return key >= kept.low && key <= kept.high;
}

// How many logits are kept (x), and their probability relative to the highest (y).
fn measure(kept: Kept, lane: u32) -> vec2<f32> {
    var count = 0.0;
    var mass = 0.0;
    {% call(id, logit) for_each_logit() %}
            if is_kept({{ logit }}, kept) {
                count += 1.0;
                mass += exp({% if tuned %}sharpness * {% endif %}({{ logit }} - kept.highest));
            }
    {%- endcall %}
    return vec2<f32>(workgroup_sum(count, lane), workgroup_sum(mass, lane));
}

// What is left of `kept` at one value of what `narrowed` looks for: a lower bound; or, `around` a logit, as much of
// WIDEST as the distance from it is less.
const WIDEST: u32 = 0x7f7fffffu; // the bits of positive numbers have their order

fn part_of(kept: Kept, around: bool, centre: f32, bound: u32) -> Kept {
    if !around {
        return Kept(bound, kept.high, kept.highest);
    }
    let distance = bitcast<f32>(WIDEST - bound);
    let low = max(kept.low, key_of(centre - distance));
    return Kept(low, min(kept.high, key_of(centre + distance)), kept.highest);
}

// The least of `kept` that still has `goal` tokens, or (by_mass) a probability of `goal`: its highest, or, `around` a
// logit, the nearest to that.
fn narrowed(kept: Kept, around: bool, centre: f32, goal: f32, by_mass: bool, lane: u32) -> Kept {
    var low = select(kept.low, 0u, around);
    var high = select(key_of(kept.highest), WIDEST, around) + 1u;
    var low_count = f32(params.vocabulary);
    var high_count = 0.0;
    // One token between the bounds, or exactly as many as wanted: no finer key changes what is left.
    while high - low > 1u && low_count - high_count > 1.0 && (by_mass || low_count != goal) {
        let middle = low + (high - low) / 2u;
        let measured = measure(part_of(kept, around, centre, middle), lane);
        if select(measured.x, measured.y, by_mass) >= goal {
            low = middle;
            low_count = measured.x;
        } else {
            high = middle;
            high_count = measured.x;
        }
    }
    return part_of(kept, around, centre, low);
}
