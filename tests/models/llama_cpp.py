"""What llama.cpp computes with the weights of the tiny models, written to tests/data.

    python3 tests/models/llama_cpp.py COMMAND MADE_WITH [FILTER ...]

COMMAND is any that runs llama.cpp on its CPU, keys and values in float32, without flash attention: given the arguments
MODEL OUT.npy ID ... it saves the logits of the token ids, float32 [T, vocabulary], as NumPy does. MADE_WITH is what the
data say of it: llama.cpp's version. FILTER is a part of a name: only those are made anew.
"""

import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]
    from web.build.environment import in_venv

    in_venv("test")

import numpy as np
from models.kept import IDS, LLAMA_CPP, WITHOUT, keep, wanted
from tiny import TINY, Tiny, write_tiny

from py_wgml.ops.unary import _FUNCTIONS

# Where llama.cpp leaves what the model's own code does, and what a file must have for that to make no difference.
CHANGES: dict[str, dict[str, Any]] = {
    # It attends to all of Phi-3's tokens, whatever the window.
    "phi3": {"metadata": {"attention.sliding_window": 0}},
    # EXAONE 4 has its window there, and layers without a rotation, when it has 64 layers.
    "exaone4, sliding window": {"layers": 64},
    # It does not read this architecture's epsilon, and takes 0.
    "qwen2vl": {"metadata": {"attention.layer_norm_rms_epsilon": 0.0}},
    # It has a window of 4096 whatever the file says.
    "smallthinker": {"metadata": {"attention.sliding_window": 4096}},
    # It rounds the bounds of YaRN's ramp to whole pairs. Here they are those of the head.
    "gpt-oss": {"metadata": {"rope.freq_base": 4.0, "rope.scaling.original_context_length": 128}},
    # Nothing departs here. This is what layers with a window must leave out, and transformers has no word for it.
    "olmo3": {"metadata": {"rope.scaling.attn_factor": 1.25}},
}

# It rounds what GELU takes and gives to half precision. One number that is rounded to the other side, being in the
# middle of two, is an error of 1e-4. So these have few such numbers, made of a seed with which none is in the middle:
# one of the first dozen is such.
SEEDS = {
    "gemma": 0, "gemma2": 0, "gemma3": 2, "gemma4": 0, "gemma4, keys and values that nothing uses": 0,
    "gemma4, keys as values": 0, "gemma4, mixture": 1, "phi2": 0, "falcon": 3, "gptneox": 1, "gptneox, sequential": 2,
    "gpt2": 2, "starcoder": 0, "starcoder2": 0,
}  # fmt: skip


def narrow(tiny: Tiny) -> Tiny:
    """The same with feed-forward parts of a quarter of their width, whether the file says it for all layers or each."""

    def quarter(width: int | list[int]) -> int | list[int]:
        return width // 4 if isinstance(width, int) else [each // 4 for each in width]

    metadata = {k: quarter(v) if k.endswith("feed_forward_length") else v for k, v in tiny.metadata.items()}
    shapes = dict(tiny.shapes)
    for name, (rows, *columns) in tiny.shapes.items():
        if name.endswith((".ffn_gate", ".ffn_up")):
            shapes[name] = (rows // 4, *columns)
        elif name.endswith(".ffn_down"):
            shapes[name] = (rows, columns[0] // 4)
    return replace(tiny, feed_forward=tiny.feed_forward // 4, metadata=metadata, shapes=shapes)


def write_for_llama_cpp(path: Path, name: str) -> Path:
    """The tiny model `name` with its `CHANGES`, or with little of GELU."""
    tiny, changes = TINY[name], CHANGES.get(name, {})
    if name in SEEDS:
        tiny = narrow(tiny)
    changes = {**changes, "metadata": {**tiny.metadata, **changes.get("metadata", {})}}
    return write_tiny(path, replace(tiny, **changes), seed=SEEDS.get(name, 0))


def gelu_of_llama_cpp() -> AbstractContextManager[Any]:
    """GELU as llama.cpp looks it up in a table of its tanh form, which has a number for each of half precision."""
    exact = _FUNCTIONS["gelu"]

    def look_up(x: Any, a: float, b: float) -> Any:
        found = exact(x.astype(np.float16).astype(np.float32), a, b).astype(np.float16)
        return np.where(np.abs(x) < 10, found.astype(x.dtype), np.maximum(x, 0))

    return patch.dict(_FUNCTIONS, gelu=look_up, gelu_erf=look_up)


def main(command: str, made_with: str, *filters: str) -> None:
    def made() -> Iterator[tuple[str, Any]]:
        for name in wanted([name for name in TINY if name not in WITHOUT[LLAMA_CPP]], filters):
            with tempfile.TemporaryDirectory() as folder:
                path, out = write_for_llama_cpp(Path(folder) / "tiny.gguf", name), Path(folder) / "logits.npy"
                arguments = map(str, [path, out, *IDS])
                subprocess.run([*shlex.split(command), *arguments], check=True, stdout=subprocess.DEVNULL)
                yield name, np.load(out)

    keep(LLAMA_CPP, made_with, made())


if __name__ == "__main__":
    main(*sys.argv[1:]) if len(sys.argv) > 2 else sys.exit(__doc__)
