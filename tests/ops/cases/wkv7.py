from dataclasses import replace

from ops.harness import Bench, Job, Mutation, Refusals, cases
from ops.recipes import exact, past

from py_wgml.ops import Columns, Received, Wkv, WkvHeads, wkv7, wkv7_numpy
from py_wgml.ops.wkv7 import require_wkv_heads

KINDS = {
    "heads of 64": WkvHeads(3, 64, mixed=True),
    "heads of 32": WkvHeads(2, 32),
    "heads of 40": WkvHeads(3, 40, mixed=True),
    "heads of 128": WkvHeads(2, 128),
    "heads of 8": WkvHeads(5, 8, mixed=True),
    "not normed": WkvHeads(2, 16, normed=False, mixed=True),
    "not normed or mixed": WkvHeads(2, 64, normed=False),
}


def wkv7_case(b: Bench, kind: str, rows: int, position: int) -> Job:
    heads = KINDS[kind]
    width = heads.width
    widths = [3 * width, *[width] * (4 if heads.mixed else 2)]
    firsts = [1, 2, 3, 4, 5][: len(widths)]
    inputs = [b.normal(rows + 1, columns + 7) for columns in widths]
    constants, before = b.normal(heads.constants, width), b.normal(*heads.shape)
    known = before if position else 0 * before
    used = [array[:rows, n : n + columns] for array, n, columns in zip(inputs, firsts, widths, strict=True)]
    rkv, decay, rate, *others = exact(*used)
    mixed = (others[0], others[1]) if heads.mixed else None
    made, after = wkv7_numpy(rkv, decay, rate, *exact(constants), heads, known.astype("d"), mixed)
    state, out, step = b.held(before), b.poison(rows + 1, width), b.step(position, rows)
    given = Received(*(Columns(b.up(array), array.shape[1], n) for array, n in zip(inputs, firsts, strict=True)))
    memory = Wkv(heads, b.up(constants), state)
    return Job(
        lambda p: wkv7(p, step, given, memory, out),
        {state: after, out: past(made, rows + 1)},
    )


TABLE = [*cases(wkv7_case, KINDS, 1e-6, ("normal",), rows=[7, 1], position=[3, 0])]


def refusals(b: Bench) -> Refusals:
    at = b.up(b.normal(64))
    x, memory = Columns(at, 16), Wkv(WkvHeads(2, 8), at, at)

    def remember(memory: Wkv, given: Received) -> None:
        wkv7(b.device.program(), at, given, memory, at)

    return [
        (lambda: require_wkv_heads(64, 0), "heads of 0 elements of 64"),
        (lambda: require_wkv_heads(64, 12), "heads of 12 elements of 64"),
        (lambda: require_wkv_heads(512, 256), "heads of 256 elements of 512"),
        (lambda: require_wkv_heads(64, 24), "heads of 24 elements of 64: supported are multiples of 8 up to 128"),
        (lambda: remember(memory, Received(x, x, x, x, x)), "or there are none"),
        (lambda: remember(replace(memory, heads=WkvHeads(2, 8, mixed=True)), Received(x, x, x)), "or there are none"),
    ]


WKV = "wkv7.wgsl"
MUTATIONS = [
    Mutation("state of a new sequence", WKV, "step.position > 0u", "true", "wkv7"),
    Mutation("rows past the step", WKV, "t < step.count", "t <= step.count", "wkv7"),
    Mutation("lanes beyond the values", WKV, "share < SHARES", "true", "wkv7"),
    Mutation("what is forgotten", WKV, " - learned[key] * forgotten", "", "wkv7"),
    Mutation("length of a key", WKV, "all.x / max(all_terms.x, LEAST_SQUARE)", "all.x", "wkv7"),
    Mutation("values of the earlier layer", WKV, "now.earlier - now.v", "now.earlier", "wkv7"),
    Mutation("mean of a head", WKV, "mean /= f32(SIZE)", "mean *= 0.0", "wkv7"),
    Mutation("bonus", WKV, "o + all_terms.w * v", "o", "wkv7"),
]
