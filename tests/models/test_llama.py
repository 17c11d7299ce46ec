"""Tiny random models: the GPU against NumPy, for every kind of tensor type and shape. Random blocks of some types have
large values, and then float32 loses a few digits; what is wrong is off by far more than the bound."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gpus
import pytest
from models.table import gpu_error
from tiny import write_tiny_llama

from py_wgml.gguf_model.ggml import GGML_QUANT_SIZES
from py_wgml.gguf_model.ggml import GGMLQuantizationType as T
from py_wgml.gguf_model.header import TensorInfo
from py_wgml.gguf_model.weights import Matrix, Weights
from py_wgml.gpu import Device

BOUND = 5e-4

# One of each way in which blocks lie in memory: on 16, 4, 2 bytes and on none; of 8 to 256 elements; with a codebook.
TYPES = (T.F32, T.F16, T.Q4_1, T.Q8_0, T.Q4_K, T.Q6_K, T.MXFP4, T["NVFP4"], T["Q1_0"], T["Q2_0"], T.IQ2_S)


@pytest.mark.parametrize("type", TYPES, ids=lambda t: t.name)
def test_types(device: Device, type: T, tmp_path: Path) -> None:
    wide = GGML_QUANT_SIZES[type][0] > 64
    sizes: dict[str, Any] = {"embedding": 256, "feed_forward": 512} if wide else {}
    assert gpu_error(write_tiny_llama(tmp_path / "tiny.gguf", type=type, **sizes), device) < BOUND


@pytest.mark.parametrize(
    "options",
    [
        {"tied": True},
        {"biases": True},
        {"rope_factors": True},
        {"kv_heads": 1},
        {"kv_heads": 4},
        {"metadata": {"rope.scaling.type": "linear", "rope.scaling.factor": 4.0}},
        {"types": {"attn_v": T.Q8_0, "ffn_up": T.F16}},  # fused products whose parts differ in type
        {"embedding": 96, "heads": 3, "kv_heads": 3, "feed_forward": 160},
        {"embedding": 90, "heads": 3, "kv_heads": 3, "feed_forward": 77, "type": T.F16},  # no multiples of 8
    ],
    ids=str,
)
def test_options(device: Device, options: dict[str, Any], tmp_path: Path) -> None:
    assert gpu_error(write_tiny_llama(tmp_path / "tiny.gguf", **options), device) < BOUND


def test_half_precision_cache(device: Device, tmp_path: Path) -> None:
    assert gpu_error(write_tiny_llama(tmp_path / "tiny.gguf"), device, bits=16) < 5e-3


def test_cache_of_eight_bits(device: Device, tmp_path: Path) -> None:
    path = write_tiny_llama(tmp_path / "tiny.gguf", embedding=128)
    assert gpu_error(path, device, bits=8) < 0.1


@pytest.mark.parametrize("type", [T.Q8_0, T.Q4_K], ids=lambda t: t.name)
def test_activations_of_8_bits(device: Device, tmp_path: Path, type: T) -> None:
    """What is rounded shows, and no more than rounding to bytes can make of it."""
    path = write_tiny_llama(tmp_path / "tiny.gguf", embedding=256, feed_forward=512, type=type)
    assert BOUND < gpu_error(path, device, activation_bits=8) < 0.1


def test_software_adapter(tmp_path: Path) -> None:
    """Where norms have dispatches of their own, and prompts are taken in by small steps."""
    assert gpu_error(write_tiny_llama(tmp_path / "tiny.gguf"), gpus.device("naga", software=True)) < BOUND


@pytest.mark.parametrize("merged_bytes", [0, 1 << 20], ids=["merged by itself", "merged by the product"])
def test_attention_shared_out_among_more_workgroups_the_longer_it_is(
    device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, merged_bytes: int
) -> None:
    monkeypatch.setattr(sys.modules["py_wgml.ops.attention"], "_SPLITS", ((12, 2), (None, 8)))
    monkeypatch.setattr(sys.modules["py_wgml.ops.linear"], "_MERGED_BYTES", merged_bytes)
    assert gpu_error(write_tiny_llama(tmp_path / "tiny.gguf"), device) < BOUND


def test_tensors_above_the_binding_limit_are_split(
    device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a limit of 20 kB, the vocabulary's matrix (128 kB) lies in seven buffers."""
    path = write_tiny_llama(tmp_path / "tiny.gguf")
    largest = []
    original = Weights._matrix
    monkeypatch.setattr(type(device), "max_tensor_bytes", property(lambda self: 20_000))

    def spy(self: Weights, tensors: Sequence[TensorInfo]) -> Matrix:
        matrix = original(self, tensors)
        largest.append(len(matrix.stripes))
        return matrix

    monkeypatch.setattr(Weights, "_matrix", spy)
    # The cache has to stay below the limit too.
    monkeypatch.setattr("py_wgml.generate.runner._PAGE", 64)
    assert gpu_error(path, device) < BOUND
    assert max(largest) == 7
