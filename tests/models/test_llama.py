"""Tiny random models: the GPU against NumPy, for every kind of tensor type, in steps of any size."""

import asyncio
import sys
from dataclasses import replace

import gpus
import numpy as np
import pytest
from gguf import GGML_QUANT_SIZES
from gguf import GGMLQuantizationType as T
from tiny import write_tiny_llama

from py_wgml import Model, WgmlError
from py_wgml.gguf_model.weights import Weights
from py_wgml.models import Config, Plan, family_of
from py_wgml.models.numpy_graph import NumpyModel

IDS = list(np.random.default_rng(3).integers(0, 512, 21))


def check(path, device, half=False, tolerance=5e-4):
    """The largest difference of any logit, relative to the root mean square of all, stays below `tolerance`: in steps
    of many tokens and in steps of one, which have kernels of their own. (Random blocks of some types have large values,
    and then float32 loses a few digits; what is wrong is off by far more.)"""

    async def on_gpu():
        model = await Model.load(path, device=device, half_cache=half)
        logits = [await model.engine.logits(IDS, at_once) for at_once in (16, 1)]
        model.destroy()
        return logits

    expected = NumpyModel(path, np.float64).logits(IDS)
    for got in asyncio.run(on_gpu()):
        assert got.shape == expected.shape == (len(IDS), 512)
        error = np.abs(got - expected).max() / np.sqrt(np.mean(expected**2))
        assert error < tolerance, f"error {error}"


# One of each way in which blocks lie in memory: on 16, 4, 2 bytes and on none; of 8, 32, 256 elements; with a codebook.
TYPES = (T.F32, T.F16, T.Q4_1, T.Q8_0, T.Q4_K, T.Q6_K, T.MXFP4, T.IQ2_S)


@pytest.mark.parametrize("type", TYPES, ids=lambda t: t.name)
def test_types(device, type, tmp_path):
    wide = GGML_QUANT_SIZES[type][0] == 256
    sizes = {"embedding": 256, "feed_forward": 512} if wide else {}
    check(write_tiny_llama(tmp_path / "tiny.gguf", type=type, **sizes), device)


@pytest.mark.parametrize(
    "options",
    [
        {"tied": True},
        {"biases": True},
        {"rope_factors": True},
        {"kv_heads": 1},
        {"kv_heads": 4},
        {"metadata": {"llama.rope.scaling.type": "linear", "llama.rope.scaling.factor": 4.0}},
        {"types": {"attn_v": T.Q8_0, "ffn_up": T.F16}},  # fused products whose parts differ in type
        {"embedding": 96, "heads": 3, "kv_heads": 3, "feed_forward": 160},
        {"embedding": 90, "heads": 3, "kv_heads": 3, "feed_forward": 77, "type": T.F16},  # no multiples of 8
    ],
    ids=str,
)
def test_options(device, options, tmp_path):
    check(write_tiny_llama(tmp_path / "tiny.gguf", **options), device)


def test_half_precision_cache(device, tmp_path):
    check(write_tiny_llama(tmp_path / "tiny.gguf"), device, half=True, tolerance=5e-3)


def test_software_adapter(tmp_path):
    """Where norms have dispatches of their own."""
    check(write_tiny_llama(tmp_path / "tiny.gguf"), gpus.device("naga", software=True))


def test_attention_shared_out_over_a_long_context(device, tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["py_wgml.ops.attention"], "_SPLIT_FROM", 12)
    check(write_tiny_llama(tmp_path / "tiny.gguf"), device)


def test_tensors_above_the_binding_limit_are_split(device, tmp_path, monkeypatch):
    """With a limit of 20 kB, the vocabulary's matrix (128 kB) lies in seven buffers."""
    path = write_tiny_llama(tmp_path / "tiny.gguf")
    largest = []
    original = Weights._matrix
    monkeypatch.setattr(type(device), "max_tensor_bytes", property(lambda self: 20_000))

    def spy(self, tensors):
        matrix = original(self, tensors)
        largest.append(len(matrix.parts))
        return matrix

    monkeypatch.setattr(Weights, "_matrix", spy)
    # The cache has to stay below the limit too.
    monkeypatch.setattr("py_wgml.generate.engine._PAGE", 64)
    check(path, device)
    assert max(largest) == 7


def test_numpy_bit_by_bit_equals_all_at_once(tmp_path):
    model = NumpyModel(write_tiny_llama(tmp_path / "tiny.gguf"), np.float64)
    whole = model.logits(IDS)
    model.reset()
    parts = np.concatenate([model.logits(IDS[:1]), model.logits(IDS[1:9]), model.logits(IDS[9:])])
    np.testing.assert_allclose(parts, whole, rtol=1e-9, atol=1e-9)


def test_one_forward_function_plans_everything(tmp_path):
    """The plan finds each tensor of the file exactly once."""
    model = NumpyModel(write_tiny_llama(tmp_path / "tiny.gguf", biases=True))
    tensors = model._file.header.tensors
    plan = Plan(tensors)
    family_of("llama")(plan, model.config)
    used = [tensor.name for group in (*plan.matrices.values(), *plan.vectors.values()) for tensor in group]
    assert sorted(used) == sorted(tensors)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"general.architecture": "mamba"}, "'mamba' are not supported; supported: llama"),
        ({"llama.rope.scaling.type": "longrope"}, "rope scaling 'longrope' is not supported"),
        ({"llama.attention.head_count": 0}, "llama.attention.head_count is 0, not a size"),
        ({"llama.attention.head_count_kv": 3}, "evenly"),
        ({"llama.block_count": 3}, "lacks the tensor blk.2.attn_norm.weight"),
        ({"llama.embedding_length": 65}, "rows of 65 elements"),
    ],
)
def test_refuses_what_it_can_not_run(tmp_path, metadata, message):
    path = write_tiny_llama(tmp_path / "tiny.gguf")
    file = NumpyModel(path)._file
    header = replace(file.header, metadata={**file.header.metadata, **metadata})
    if "general.architecture" in metadata:
        header = replace(header, metadata={k.replace("llama.", "mamba."): v for k, v in header.metadata.items()})

    def plan():
        config = Config.from_header(header)
        family_of(config.architecture)(Plan(header.tensors), config)

    with pytest.raises(WgmlError, match=message):
        plan()
