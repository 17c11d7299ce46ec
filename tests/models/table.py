"""Every family's tiny model: the GPU against NumPy, and NumPy against Hugging Face transformers.

    python3 tests/models/table.py [FILTER ...]        family x (GPU = NumPy) x (NumPy = transformers), with errors

FILTER is a part of a name in `TINY`. `test_families.py` runs the same under pytest. What transformers computes is kept
in tests/data/families.hf-f32.json, which `truth.py` writes.
"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]
    from web.build.environment import in_venv

    in_venv("test")

import gpus
import numpy as np
from tiny import TINY, write_tiny

from py_wgml import Model
from py_wgml.generate import ActivationBits
from py_wgml.gpu import Device
from py_wgml.models.numpy_graph import NumpyModel
from py_wgml.ops import Bits

TRUTH = Path(__file__).parents[1] / "data" / "families.hf-f32.json"
IDS = [int(id) for id in np.random.default_rng(3).integers(0, 512, 21)]
COLUMNS = list(range(3, 512, 73))  # of the logits that are kept

BOUND = 2e-5  # relative to the root mean square of all logits


def error(got: Any, expected: Any) -> float:
    """The largest difference of any logit, relative to the root mean square of all."""
    assert got.shape == expected.shape
    return float(np.abs(got - expected).max() / np.sqrt(np.mean(np.square(expected, dtype=np.float64))))


def gpu_error(
    path: Path, device: Device, bits: Bits = 32, context: int | None = None, activation_bits: ActivationBits = 32
) -> float:
    """The largest error of the GPU's logits, in steps of many tokens and in steps of one, which have kernels of their
    own. bits: of the cache. The rest as for Model.load."""

    async def on_gpu() -> list[Any]:
        model = await Model.load(path, device=device, cache_bits=bits, context=context, activation_bits=activation_bits)
        try:
            return [await model.runner.logits(IDS, at_once) for at_once in (16, 1)]
        finally:
            model.destroy()

    expected = NumpyModel(path, np.float64, context).logits(IDS)
    return max(error(got, expected) for got in asyncio.run(on_gpu()))


def truth() -> dict[str, Any]:
    """What transformers computes, by name: logits [len(IDS), len(COLUMNS)]."""
    return {name: np.array(logits) for name, logits in json.loads(TRUTH.read_text())["logits"].items()}


def truth_error(path: Path, expected: Any, context: int | None = None) -> float:
    """The largest error of NumPy's logits."""
    return error(NumpyModel(path, context=context).logits(IDS)[:, COLUMNS], expected)


def main(filters: list[str]) -> int:
    """Print the table. Exit status 1: an error is above its bound."""
    wanted = {name: tiny for name, tiny in TINY.items() if not filters or any(text in name for text in filters)}
    if not wanted:
        raise SystemExit("no family has such a name")
    expected, failed = truth(), False
    print(f"{'family':40} {'GPU = NumPy':>12} {'NumPy = transformers':>22}")
    for name, tiny in wanted.items():
        with tempfile.TemporaryDirectory() as folder:
            path = write_tiny(Path(folder) / "tiny.gguf", tiny)
            on_gpu = gpu_error(path, gpus.device("naga"), context=tiny.wanted)
            on_cpu = truth_error(path, expected[name], tiny.wanted) if name in expected else None
        failed |= on_gpu > BOUND or (on_cpu or 0) > BOUND
        print(f"{name:40} {on_gpu:12.1e} {'-' if on_cpu is None else format(on_cpu, '.1e'):>22}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
