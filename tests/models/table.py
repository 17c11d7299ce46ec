"""Every family's tiny model: the GPU against NumPy, and NumPy against Hugging Face transformers and llama.cpp.

    python3 tests/models/table.py [FILTER ...]        family x (GPU = NumPy) x (NumPy = each of the two), with errors

FILTER is a part of a name in `TINY`. `test_families.py` runs the same under pytest. What the two compute is kept in
tests/data, where `truth.py` and `llama_cpp.py` write it.
"""

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]
    from web.build.environment import in_venv

    in_venv("test")

import gpus
import numpy as np
from models.kept import COLUMNS, IDS, LLAMA_CPP, TRANSFORMERS, WITHOUT, kept, wanted
from models.llama_cpp import gelu_of_llama_cpp, write_for_llama_cpp
from tiny import TINY, write_tiny

from py_wgml import Model
from py_wgml.generate import ActivationBits
from py_wgml.gpu import Device
from py_wgml.models.numpy_graph import NumpyModel
from py_wgml.ops import Bits

# Relative to the root mean square of all logits. Float32 alone makes a few millionths, on the GPU and in NumPy, and
# more where a norm makes much of little: of what a query finds that is nearly orthogonal to the only key.
BOUND = 5e-6


def error(got: Any, expected: Any) -> float:
    """The largest difference of any logit, relative to the root mean square of all."""
    assert got.shape == expected.shape
    return float(np.abs(got - expected).max() / np.sqrt(np.mean(np.square(expected, dtype=np.float64))))


def gpu_error(
    path: Path,
    device: Device,
    bits: Bits = 32,
    context: int | None = None,
    activation_bits: ActivationBits = 32,
    sizes: Sequence[int] = (16, 1),
) -> float:
    """The largest error of the GPU's logits, in steps of several sizes: those of many tokens and of one have kernels of
    their own. bits: of the cache. The rest as for Model.load."""

    async def on_gpu() -> list[Any]:
        model = await Model.load(path, device=device, cache_bits=bits, context=context, activation_bits=activation_bits)
        try:
            return [await model.runner.logits(IDS, at_once) for at_once in sizes]
        finally:
            model.destroy()

    expected = NumpyModel(path, np.float64, context).logits(IDS)
    return max(error(got, expected) for got in asyncio.run(on_gpu()))


def kept_error(path: Path, expected: Any, context: int | None = None) -> float:
    """The largest error of the kept logits against NumPy's in float64."""
    return error(expected, NumpyModel(path, np.float64, context).logits(IDS)[:, COLUMNS])


def llama_cpp_error(path: Path, expected: Any, context: int | None = None) -> float:
    """The same for those of llama.cpp, of a file by `write_for_llama_cpp`."""
    with gelu_of_llama_cpp():
        return kept_error(path, expected, context)


def main(filters: list[str]) -> int:
    """Print the table. Exit status 1: an error is above its bound."""
    names = wanted(TINY, filters)
    if not names:
        raise SystemExit("no family has such a name")
    transformers, llama_cpp, failed = kept(TRANSFORMERS), kept(LLAMA_CPP), False
    print(f"{'family':40} {'GPU = NumPy':>12} {'NumPy = transformers':>22} {'NumPy = llama.cpp':>18}")
    for name in names:
        errors: list[float | None] = [None, None]
        with tempfile.TemporaryDirectory() as folder:
            tiny, path = TINY[name], Path(folder) / "tiny.gguf"
            on_gpu = gpu_error(write_tiny(path, tiny), gpus.device("naga"), context=tiny.wanted)
            if name in transformers:
                errors[0] = kept_error(path, transformers[name], tiny.wanted)
            if name in llama_cpp:
                errors[1] = llama_cpp_error(write_for_llama_cpp(path, name), llama_cpp[name], tiny.wanted)
        failed |= on_gpu > BOUND or any(found is not None and found > BOUND for found in errors)
        others = ["-" if found is None else f"{found:.1e}" for found in errors]
        why = "; ".join(reasons[name] for reasons in WITHOUT.values() if name in reasons)
        print(f"{name:40} {on_gpu:12.1e} {others[0]:>22} {others[1]:>18}  {why}".rstrip(), flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
