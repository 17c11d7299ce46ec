"""Kernels broken on purpose: the tests must notice each.

    python3 tests/ops/mutate.py [FILTER ...]    breaks one kernel after the other, in a copy, and runs its tests there

FILTER is a part of what a mutation is called. Exit code 1 if one goes unnoticed. It takes some minutes, and so is not
among the tests; those only see to it that each mutation still has something to break.
"""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOT_COPIED = shutil.ignore_patterns(".*", "node_modules", "__pycache__", "dist")


@dataclass(frozen=True)
class Mutation:
    """`text`, which stands in `file` (of wgsl/) once, becomes `replacement`; `tests` is what pytest's -k is given."""

    name: str
    file: str
    text: str
    replacement: str
    tests: str


MUTATIONS = [
    Mutation("block offset", "quant/q4_0.wgsl", "load_u32(at + 2u, j)", "load_u32(at, j)", "test_case and Q4_0"),
    Mutation("bytes of a block", "quant/q6_k.wgsl", "BLOCK_BYTES: u32 = 210u", "BLOCK_BYTES: u32 = 208u", "Q6_K"),
    Mutation("scale of a group", "quant/q6_k.wgsl", "at + 192u +", "at + 193u +", "test_case and Q6_K"),
    Mutation("minimum of a group", "quant/q4_k.wgsl", "(1.0, -1.0, 1.0, -1.0)", "(1.0, 1.0, 1.0, 1.0)", "Q4_K"),
    Mutation("fifth bit", "quant/q5_1.wgsl", "spread_bits(fifth >> 16u)", "spread_bits(fifth)", "Q5_1"),
    Mutation("row of the weights", "lib/octets.wgsl", "row * params.row_bytes +", "row * 18u +", "linear-Q4"),
    Mutation("tile's first barrier", "linear_tile.wgsl", "        workgroupBarrier();\n\n", "\n", "linear-Q8_0"),
    Mutation("tokens past the step", "linear_tile.wgsl", "line < tile.count && has_row", "has_row", "linear-Q8_0"),
    Mutation("tile's last row", "linear_tile.wgsl", "return n < params.rows{{", "return true{{", "linear-Q8_0"),
    Mutation("expert of a tile", "linear_tile.wgsl", "tile.expert * params.rows + n - params.skipped", "n",
             "linear_experts"),
    Mutation("token of a slot", "linear_tile.wgsl", " / params.sharing", "", "linear_experts"),
    Mutation("part of the experts", "linear_tile.wgsl", " && weight_row(tile, n) < params.held", "", "linear_experts"),
    Mutation("end of an expert", "group_experts.wgsl", "min(last - at, params.tokens)", "params.tokens", "experts"),
    Mutation("tiles not needed", "group_experts.wgsl", "tile < params.max_tiles", "false", "group_experts"),
    Mutation("sum over lanes", "linear_vector.wgsl", "stride = LANES / 2u; stride > 0u; stride >>= 1u) {\n        if",
             "stride = LANES / 2u; stride > 1u; stride >>= 1u) {\n        if", "linear-Q8_0"),
    Mutation("scale of rounded x", "linear_vector.wgsl", "x_scales[span] = peak / LARGEST", "x_scales[span] = peak",
             "linear_integers"),
    Mutation("weights of a later stage", "linear_vector.wgsl", "if start + s != lane {", "if s != lane {", "2304"),
    Mutation("highest of all parts", "lib/attention_parts.wgsl", "highest = max(highest, state_{{ i }}.x)",
             "highest = state_{{ i }}.x", "attention_merge or linear_parts"),
    Mutation("barrier of a reduction", "lib/reduce.wgsl", "    reduce_scratch[lane] = value;\n    workgroupBarrier();",
             "    reduce_scratch[lane] = value;", "rms_norm or softmax"),
    Mutation("epsilon", "lib/norm.wgsl", " + params.eps", "", "rms_norm or layer_norm"),
    Mutation("rows past the step", "lib/norm.wgsl", "group.x >= step.count", "group.x > step.count", "rms_norm"),
    Mutation("highest score", "softmax.wgsl", "highest = workgroup_max(best, lane)", "highest = 0.0", "softmax"),
    Mutation("carry of a running sum", "cumulative_sum.wgsl", "before += sums[TILE - 1u];", "", "cumulative_sum"),
    Mutation("order of equals", "top_k.wgsl", "~i);", "i);", "top_k or argmax"),
    Mutation("end of a share", "top_k.wgsl", "min(begin + share, length)", "begin + share", "top_k or argmax"),
    Mutation("tail of a product", "gemm.wgsl", "start + depth_a < params.inner && ", "", "gemm"),
    Mutation("offset of a view", "lib/place.wgsl", "view.offset + ", "", "binary or unary"),
    Mutation("sign of a rotation", "lib/rotate.wgsl", "pair.x * r.x - ", "pair.x * r.x + ", "rope"),
    Mutation("position of a token", "rope.wgsl", "step.position + t", "t", "rope"),
    Mutation("scale of a query", "lib/attention.wgsl", "return params.scale * ", "return ", "attention"),
    Mutation("attention's tail", "attention_vector.wgsl", "exp(score_{{ g }} - new_highest_{{ g }}), lane < count)",
             "exp(score_{{ g }} - new_highest_{{ g }}), true)", "attention"),
    Mutation("tokens of the same step", "short_conv.wgsl", "back <= t", "back <= t + 1u", "short_conv"),
    Mutation("start of a sequence", "short_conv.wgsl", "position + 1u)", "position)", "short_conv"),
    Mutation("order of taps", "short_conv.wgsl", "- 1u - back]", "- LENGTH + back - 1u]", "short_conv"),
    Mutation("id of a winner", "sample.wgsl", "step.count = 1u", "step.count = 2u", "sample"),
]  # fmt: skip


def main() -> None:
    wanted = [m for m in MUTATIONS if not sys.argv[1:] or any(part in m.name for part in sys.argv[1:])]
    unnoticed = 0
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT, folder, ignore=NOT_COPIED, dirs_exist_ok=True)
        for mutation in wanted:
            path = Path(folder, "wgsl", mutation.file)
            whole = path.read_text()
            path.write_text(whole.replace(mutation.text, mutation.replacement))
            verdict = verdict_of(folder, mutation.tests)
            path.write_text(whole)
            unnoticed += verdict != "noticed"
            print(f"{mutation.name:24} {mutation.file:24} {verdict}", flush=True)
    if unnoticed:
        raise SystemExit(1)


def verdict_of(folder: str, tests: str) -> str:
    """What the tests of the ops, on one compiler, say to the kernels in a copy of this project."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-m", "not slow", "-k", tests]
    done = subprocess.run([*command, "tests/ops"], cwd=folder, capture_output=True, text=True, check=False)
    if "WgmlError: kernel" in done.stdout:
        return "does not compile"
    return {0: "NOT NOTICED", 1: "noticed"}.get(done.returncode, f"pytest ended with {done.returncode}")


if __name__ == "__main__":
    main()
