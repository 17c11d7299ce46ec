"""What other programs compute with the tiny models, kept in tests/data: some logits of each."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tiny import TINY

DATA = Path(__file__).parents[1] / "data"
TRANSFORMERS, LLAMA_CPP = DATA / "families.hf-f32.json", DATA / "families.llama.cpp.json"
IDS = [int(id) for id in np.random.default_rng(3).integers(0, 512, 21)]
COLUMNS = list(range(3, 512, 73))  # of the logits that are kept

WITHOUT = {
    TRANSFORMERS: {
        "internlm2": "transformers has no InternLM2",
        "exaone": "transformers has no EXAONE 3",
        "deepseek": "transformers has no DeepSeek of version 1",
        "plm": "transformers has no PLM",
        "plamo2": "transformers has no PLaMo",
        **dict.fromkeys(("rwkv7", "arwkv7", "arwkv7, without gates"), "transformers has no RWKV-7"),
        "smallthinker": "transformers has no SmallThinker",
        "smallthinker, softmax": "transformers has no SmallThinker",
    },
    LLAMA_CPP: {
        "gemma3n": "llama.cpp has the released models' sizes built in, and deviations that divide by n - 1",
        "mixtral, gates and values in one": "llama.cpp reads them from two tensors in this architecture",
    },
}
"""Why something is not kept, by name."""


def kept(path: Path) -> dict[str, Any]:
    """By name: logits [len(IDS), len(COLUMNS)]."""
    return {name: np.array(logits) for name, logits in json.loads(path.read_text())["logits"].items()}


def wanted(names: Iterable[str], filters: Sequence[str]) -> list[str]:
    """Those that have one of the filters in them, or all."""
    return [name for name in names if not filters or any(text in name for text in filters)]


def keep(path: Path, made_with: str, made: Iterable[tuple[str, Any]]) -> None:
    """Write logits [len(IDS), vocabulary] by name, beside what the file has of other models of `TINY`."""
    old = json.loads(path.read_text())["logits"] if path.exists() else {}
    for name, logits in made:
        old[name] = [[round(float(x), 6) for x in row] for row in logits[:, COLUMNS]]
        print(name, flush=True)
    logits = {name: old[name] for name in TINY if name in old and name not in WITHOUT[path]}
    text = json.dumps({"made_with": made_with, "ids": IDS, "columns": COLUMNS, "logits": logits})
    path.write_text(text.replace("]], ", "]],\n") + "\n")
