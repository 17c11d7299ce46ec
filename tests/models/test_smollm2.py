"""SmolLM2-135M-Instruct (Q4_1) against Hugging Face transformers in float32: tests/data/smollm2-135m-q4_1.hf-f32.json.

The figures are printed (`-s` or `-rP` shows them).
"""

import asyncio
import json
from pathlib import Path

import gpus
import pytest
from models.reference import check_greedy, error_of_top20, mean_nll

from py_wgml import Model
from py_wgml.gguf_model import read_header
from py_wgml.models.numpy_graph import NumpyModel
from py_wgml.ops.lib.array import Array
from py_wgml.tokenizer import from_metadata

TRUTH = json.loads((Path(__file__).parent.parent / "data" / "smollm2-135m-q4_1.hf-f32.json").read_text())
PROMPTS = TRUTH["prompts"]


def gpu_logits(path: Path, ids: list[int], compiler: str = "naga", half: bool = True) -> Array:
    async def main() -> Array:
        model = await Model.load(path, device=gpus.device(compiler), cache_bits=16 if half else 32)
        try:
            return await model.runner.logits(ids, at_once=64)
        finally:
            model.destroy()

    return asyncio.run(main())


def test_token_ids(smollm2_path: Path) -> None:
    tokenizer = from_metadata(read_header(smollm2_path).metadata, "python")
    for text in PROMPTS.values():
        assert tokenizer.encode(text["text"], add_special=False, parse_special=True) == text["ids"]
    # The longer text was cut after 512 tokens.
    ids = tokenizer.encode(TRUTH["nll"]["text"], add_special=False, parse_special=True)
    assert ids[:512] == TRUTH["nll"]["ids"]


@pytest.mark.slow
def test_numpy(smollm2_path: Path) -> None:
    """The reference of this project against the reference of the field."""
    model = NumpyModel(smollm2_path)
    for prompt in PROMPTS.values():
        model.reset()
        logits = model.logits(prompt["ids"] + prompt["greedy48"][:-1])
        check_greedy(prompt, logits)
        error = error_of_top20(prompt, logits[len(prompt["ids"]) - 1])
        assert error < 0.001
    model.reset()
    nll = mean_nll(model.logits(TRUTH["nll"]["ids"]), TRUTH["nll"]["ids"])
    assert abs(nll - TRUTH["nll"]["mean_nll"]) < 1e-4


THOROUGH = [pytest.mark.slow, pytest.mark.thorough]


@pytest.mark.slow
@pytest.mark.parametrize("name", [pytest.param(name, marks=[] if name == "chat" else THOROUGH) for name in PROMPTS])
def test_gpu(smollm2_path: Path, name: str) -> None:
    prompt = PROMPTS[name]
    logits = gpu_logits(smollm2_path, prompt["ids"] + prompt["greedy48"][:-1])
    check_greedy(prompt, logits)
    error = error_of_top20(prompt, logits[len(prompt["ids"]) - 1])
    assert error < 0.1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "compiler"),
    [
        ("plain", "naga"),
        *(pytest.param(*other, marks=THOROUGH) for other in [("chat", "naga"), ("unicode", "naga"), ("plain", "tint")]),
    ],
)
def test_gpu_with_float32_cache(smollm2_path: Path, name: str, compiler: str) -> None:
    logits = gpu_logits(smollm2_path, PROMPTS[name]["ids"], compiler, half=False)
    error = error_of_top20(PROMPTS[name], logits[-1])
    assert error < 0.02


@pytest.mark.slow
@pytest.mark.thorough
def test_gpu_likelihood(smollm2_path: Path) -> None:
    ids = TRUTH["nll"]["ids"]
    nll = mean_nll(gpu_logits(smollm2_path, ids), ids)
    print(f"mean negative log-likelihood {nll:.5f}, reference {TRUTH['nll']['mean_nll']:.5f}")
    assert abs(nll - TRUTH["nll"]["mean_nll"]) < 0.005
