from ops.harness import Bench, Job, Mutation, cases
from ops.recipes import attention_partials, past

from py_wgml.ops import Heads, Partials, attention_merge


def attention_merge_case(b: Bench, kind: str, shape: tuple[int, int, int], splits: int) -> Job:
    count, heads, head_dim = shape
    partials, merged = attention_partials(b, count, splits, heads, head_dim)
    out, step = b.poison(count + 1, heads, head_dim), b.step(5, count)
    return Job(
        lambda p: attention_merge(p, step, partials, Partials(Heads(heads, heads, head_dim), splits), out, count + 1),
        {out: past(merged, count + 1)},
    )


TABLE = [
    *cases(attention_merge_case, ["f32"], 1e-6, ["normal"], shape=[(2, 3, 10), (1, 2, 300)], splits=[2, 8]),
]

MUTATIONS = [
    Mutation(
        "highest of all partials",
        "lib/attention_partials.wgsl",
        "highest = max(highest, state_{{ i }}.x)",
        "highest = state_{{ i }}.x",
        "attention_merge or linear_parts",
    ),
]
