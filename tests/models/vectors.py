"""Tiny models that make vectors or scores of texts: the GPU against NumPy, NumPy against transformers and llama.cpp.

    python3 tests/models/vectors.py [FILTER ...]      family x (GPU = NumPy) x (NumPy = each of the two), with errors

FILTER is a part of a name in `EMBEDDING`. `test_vectors.py` runs the same under pytest. What the two compute is kept in
tests/data/embeddings.json, which `embedding_truth.py` writes.
"""

import asyncio
import json
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]
    from web.build.environment import in_venv

    in_venv("test")

import gpus
import numpy as np
from models.kept import IDS
from models.llama_cpp import gelu_of_llama_cpp
from models.table import BOUND, error
from tiny import EMBEDDING, write_tiny

from py_wgml import Model
from py_wgml.generate import TokenizedText
from py_wgml.gpu import Device
from py_wgml.models.numpy_graph import NumpyModel
from py_wgml.ops import softmax_numpy

MINILM = Path(__file__).parents[1] / "data" / "all-minilm-l6-v2.hf-f32.json"
KEPT = Path(__file__).parents[1] / "data" / "embeddings.json"
HALVES = 5e-5  # of llama.cpp, which rounds what GELU takes and gives: some numbers to the other side
SECOND = 9  # where the second of a pair of texts begins, of those that are scored
TEXTS = [[*IDS[first:end]] for first, end in pairwise((0, 1, 4, 21))]


def text(ids: list[int]) -> TokenizedText:
    """As it is, or, if it is long enough, as a pair."""
    return TokenizedText(ids, SECOND if len(ids) > SECOND else None)


def types(ids: list[int]) -> Any:
    """Those of `text`."""
    return (np.arange(len(ids)) >= SECOND) * 1


def gpu_error(path: Path, device: Device) -> float:
    """The largest error of what the GPU makes of texts in one step, relative to the root mean square of a text's."""

    async def on_gpu() -> Any:
        model = await Model.load(path, device=device)
        try:
            return await model.embedder.vectors([text(ids) for ids in (*TEXTS, IDS, *TEXTS)])
        finally:
            model.destroy()

    reference = NumpyModel(path, np.float64)
    expected = [reference.vector(ids, types(ids)) for ids in (*TEXTS, IDS, *TEXTS)]
    return max(error(*pair) for pair in zip(asyncio.run(on_gpu()), expected, strict=True))


def kept(program: str) -> dict[str, Any]:
    """What another program made of IDS, by the model's name: see `embedding_truth.py`."""
    return {name: np.array(vector) for name, vector in json.loads(KEPT.read_text())[program].items()}


def transformers_error(name: str, path: Path) -> float:
    """The largest error of NumPy's, of IDS; as a pair where types are known that transformers knows too."""
    pair = types(IDS) if name == "bert, reranker" else None
    return error(NumpyModel(path).vector(IDS, pair), kept("transformers")[name])


def llama_cpp_error(name: str, path: Path) -> float:
    """The largest error of NumPy's with its table of GELU, of IDS as one text."""
    with gelu_of_llama_cpp():
        vector = NumpyModel(path).vector(IDS)
    if name == "qwen3, reranker":  # of which it takes the softmax
        vector = softmax_numpy(vector[None])[0]
    return error(vector, kept("llama.cpp")[name])


def main(filters: list[str]) -> int:
    """Print the table. Exit status 1: an error is above its bound."""
    failed = False
    print(f"{'family':40} {'GPU = NumPy':>12} {'NumPy = transformers':>22} {'NumPy = llama.cpp':>20}")
    for name, tiny in EMBEDDING.items():
        if filters and not any(text in name for text in filters):
            continue
        with tempfile.TemporaryDirectory() as folder:
            path = write_tiny(Path(folder) / "tiny.gguf", tiny)
            errors = [gpu_error(path, gpus.device("naga"))]
            errors += [transformers_error(name, path)] if name in kept("transformers") else [0.0]
            errors += [llama_cpp_error(name, path)]
        failed |= max(errors[:2]) > BOUND or errors[2] > HALVES
        told = [format(found, ".1e") if found else "-" for found in errors]
        print(f"{name:40} {told[0]:>12} {told[1]:>22} {told[2]:>20}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
