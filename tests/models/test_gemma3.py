"""Gemma 3 270M (Q4_K_M) against Hugging Face transformers in float32: where the file (PY_WGML_GEMMA) and its reference
are at hand. Its embedding (178 MB) is above the default limit of a binding."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import gpus
import pytest
from models.reference import check_greedy, error_of_top20, mean_nll

from py_wgml import Model
from py_wgml.models.numpy_graph import NumpyModel
from py_wgml.ops.lib.array import Array

TRUTH = Path(__file__).parents[3] / "shared" / "truth" / "gemma-3-270m-q4_k_m.hf-f32.json"
MODEL = os.environ.get("PY_WGML_GEMMA", "")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not MODEL or not TRUTH.exists(), reason="needs PY_WGML_GEMMA and the reference logits"),
]


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(TRUTH.read_text())
    return found


def test_numpy(truth: dict[str, Any]) -> None:
    model = NumpyModel(MODEL)
    for prompt in truth["prompts"].values():
        model.reset()
        logits = model.logits(prompt["ids"] + prompt["greedy48"][:-1])
        check_greedy(prompt, logits)
        assert error_of_top20(prompt, logits[len(prompt["ids"]) - 1]) < 0.001
    model.reset()
    assert abs(mean_nll(model.logits(truth["nll"]["ids"]), truth["nll"]["ids"]) - truth["nll"]["mean_nll"]) < 1e-4


def test_gpu(truth: dict[str, Any]) -> None:
    prompt = truth["prompts"]["plain"]

    async def on_gpu() -> Array:
        model = await Model.load(MODEL, device=gpus.device("naga"))
        try:
            assert len(model.runner.weights.matrices["token_embd",].stripes) == 2
            return await model.logits(prompt["ids"])
        finally:
            model.destroy()

    assert error_of_top20(prompt, asyncio.run(on_gpu())) < 0.1
