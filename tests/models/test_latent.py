"""Latent attention: what it keeps of a token, what a step takes, and files whose parts do not fit together."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gpus
import numpy as np
import pytest
from gguf import GGMLQuantizationType as Type
from models.kept import IDS
from models.table import BOUND, error, gpu_error
from tiny import TINY, Tiny, write_tiny

from py_wgml import Model, WgmlError
from py_wgml.generate.runner import Runner
from py_wgml.gguf_model.header import TensorInfo, read_header
from py_wgml.gguf_model.weights import Matrix, Weights
from py_wgml.gpu.paper import PaperDevice
from py_wgml.models import Cache, plan
from py_wgml.models.numpy_graph import NumpyModel
from py_wgml.ops import Bits

SPLIT, UNSPLIT, MIXTURE = (TINY[f"deepseek2, {name}"] for name in ("dense", "keys and values in one", "sigmoid"))
# With keys and what is rotated of them in whole blocks of 32 elements.
WIDE = replace(
    SPLIT,
    shapes={**SPLIT.shapes, "attn_kv_a_mqa": (64, 64), "attn_k_b": (4, 32, 8)},
    metadata={**SPLIT.metadata, "rope.dimension_count": 32},
)
# Sizes of DeepSeek-V2-Lite, but for the embedding and the number of heads and layers.
LITE = replace(
    TINY["deepseek2, queries of one matrix"],
    layers=1,
    heads=2,
    shapes={
        "attn_q": (2 * 192, 64),
        "attn_kv_a_mqa": (576, 64),
        "attn_kv_a_norm": (512,),
        "attn_k_b": (2, 512, 128),
        "attn_v_b": (2, 128, 512),
        "attn_output": (64, 256),
    },
    metadata={
        **SPLIT.metadata,
        "attention.kv_lora_rank": 512,
        "attention.key_length_mla": 192,
        "attention.value_length_mla": 128,
        "rope.dimension_count": 64,
    },
)


@pytest.mark.parametrize("tiny", [SPLIT, UNSPLIT], ids=["split", "unsplit"])
def test_prompts_of_many_tokens(tmp_path: Path, tiny: Tiny) -> None:
    """Which have kernels of their own."""
    path, ids = write_tiny(tmp_path / "tiny.gguf", replace(tiny, layers=1)), IDS * 2

    async def on_gpu() -> Any:
        model = await Model.load(path, device=gpus.device("naga"), cache_bits=32)
        try:
            return await model.runner.logits(ids, 32)
        finally:
            model.destroy()

    assert error(asyncio.run(on_gpu()), NumpyModel(path, np.float64).logits(ids)) < BOUND


@pytest.mark.parametrize(("bits", "bound"), [(32, BOUND), (16, 5e-3), (8, 0.1)])
def test_bits_of_the_cache(tmp_path: Path, bits: Bits, bound: float) -> None:
    assert gpu_error(write_tiny(tmp_path / "tiny.gguf", WIDE), gpus.device("naga"), bits) < bound


@pytest.mark.parametrize(
    ("tiny", "types"),
    [(SPLIT, {"attn_v_b": Type.Q8_0, "attn_k_b": Type.F16}), (UNSPLIT, {"attn_kv_b": Type.Q4_0})],
    ids=["split", "unsplit"],
)
def test_quantized(tmp_path: Path, tiny: Tiny, types: dict[str, Type]) -> None:
    assert gpu_error(write_tiny(tmp_path / "tiny.gguf", tiny, types=types), gpus.device("naga")) < BOUND


def test_software_adapter(tmp_path: Path) -> None:
    assert gpu_error(write_tiny(tmp_path / "tiny.gguf", SPLIT), gpus.device("naga", software=True)) < BOUND


def test_attention_shared_out_among_workgroups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["py_wgml.ops.attention"], "_SPLITS", ((12, 2), (None, 8)))
    assert gpu_error(write_tiny(tmp_path / "tiny.gguf", SPLIT), gpus.device("naga")) < BOUND


def test_matrices_above_the_binding_limit_are_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of a matrix may end within a head, of which several products are added up then."""
    device, path = gpus.device("naga"), write_tiny(tmp_path / "tiny.gguf", UNSPLIT)
    monkeypatch.setattr(type(device), "max_tensor_bytes", property(lambda self: 10_000))
    monkeypatch.setattr("py_wgml.generate.runner._PAGE", 32)
    stripes: dict[str, int] = {}
    original = Weights._matrix

    def spy(self: Weights, tensors: Sequence[TensorInfo]) -> Matrix:
        matrix = original(self, tensors)
        stripes[tensors[0].name] = max(stripes.get(tensors[0].name, 0), len(matrix.stripes))
        return matrix

    monkeypatch.setattr(Weights, "_matrix", spy)
    assert gpu_error(path, device) < BOUND
    assert stripes["blk.0.attn_kv_b.weight"] > 1


def test_memory_of_a_token(tmp_path: Path) -> None:
    """Keys and values of all heads would be 5,120 elements in DeepSeek-V2-Lite; its 27 layers take 31 KB this way."""
    path = write_tiny(tmp_path / "tiny.gguf", LITE)
    _, _, found = plan(read_header(path))
    sizes = {bits: Cache(PaperDevice(), found, bits, 64).position_bytes for bits in (32, 16, 8)}
    assert sizes == {32: 4 * 576, 16: 2 * 576, 8: 576 + 576 // 32 * 4}
    assert 27 * sizes[16] == 31_104


@pytest.mark.parametrize(
    ("tiny", "count"),
    [
        # queries and latents, what is appended, k_b, attention, v_b, output; gates and values, down
        (TINY["deepseek2, queries of one matrix"], 8),
        (SPLIT, 9),  # queries by way of a norm
        (UNSPLIT, 9),
    ],
    ids=["queries of one matrix", "queries of two", "keys and values in one"],
)
def test_dispatches_of_a_layer(tmp_path: Path, tiny: Tiny, count: int) -> None:
    """Beside the embedding, the logits and what picks a token."""
    runner = Runner(PaperDevice(), read_header(write_tiny(tmp_path / "tiny.gguf", tiny)))
    assert runner.dispatches_per_token == count * tiny.layers + 3


def test_the_mixtures_gates_are_those_that_the_file_speaks_of(tmp_path: Path) -> None:
    """A file that has V3's bias, and does not say how gates are made, is one of V3's kind."""
    path = write_tiny(tmp_path / "tiny.gguf", MIXTURE)
    expected = NumpyModel(path, np.float64).logits(IDS)
    metadata = {key: value for key, value in MIXTURE.metadata.items() if key != "expert_gating_func"}
    silent = write_tiny(tmp_path / "silent.gguf", replace(MIXTURE, metadata=metadata))
    np.testing.assert_array_equal(NumpyModel(silent, np.float64).logits(IDS), expected)
    softmax = replace(MIXTURE, metadata={**metadata, "expert_gating_func": 1})
    other = NumpyModel(write_tiny(tmp_path / "other.gguf", softmax), np.float64).logits(IDS)
    assert error(other, expected) > 0.1


def test_a_block_that_predicts_is_left_out(tmp_path: Path) -> None:
    """As GLM-4.7-Flash has it."""
    plain = write_tiny(tmp_path / "plain.gguf", MIXTURE)
    names = " nextn.eh_proj nextn.enorm nextn.hnorm nextn.shared_head_norm"
    more = replace(
        MIXTURE,
        layer="",
        first="",
        each=(MIXTURE.first, MIXTURE.layer, MIXTURE.layer + names),
        shapes={**MIXTURE.shapes, "eh_proj": (64, 128)},
        metadata={**MIXTURE.metadata, "nextn_predict_layers": 1},
    )
    header = read_header(write_tiny(tmp_path / "more.gguf", more))
    assert plan(header)[0].block_count == 2
    assert len(plan(header)[2].kept) == len(plan(read_header(plain))[2].kept) == 2


@pytest.mark.parametrize(
    ("tiny", "metadata", "message"),
    [
        (SPLIT, {"attention.kv_lora_rank": 0}, "keys and values differ in length"),
        (SPLIT, {"attention.kv_lora_rank": 16}, "have 40 [+] 48 rows instead of 40 [+] 32"),
        (SPLIT, {"attention.key_length_mla": 44}, "attn_q_b.weight has 160 rows instead of 176"),
        (SPLIT, {"attention.value_length_mla": 24}, "attn_v_b.weight has 20 rows a head instead of 24"),
        (SPLIT, {"attention.q_lora_rank": 32}, "have 40 [+] 48 rows instead of 32 [+] 48"),
        (SPLIT, {"attention.q_lora_rank": 0}, "have 40 [+] 48 rows instead of 0 [+] 48"),
        (SPLIT, {"attention.key_length_mla": 16}, "heads with 0 that are not rotated, make no sense"),
        (SPLIT, {"rope.dimension_count": 40}, "have 40 [+] 48 rows instead of 40 [+] 72"),
        (SPLIT, {"rope.dimension_count": 15}, "have 40 [+] 48 rows instead of 40 [+] 47"),
        (UNSPLIT, {"attention.value_length": 24}, r"attn_kv_b.weight has the shape \[176, 32\]"),
        (UNSPLIT, {"attention.key_length": 44}, "attn_q_b.weight has 160 rows instead of 176"),
        (UNSPLIT, {"attention.head_count": 5, "attention.head_count_kv": 5}, "has 160 rows instead of 200"),
        (MIXTURE, {"expert_gating_func": 3}, "experts with the gating function 3 are not supported"),
        (MIXTURE, {"expert_group_count": 2}, "experts in 2 groups, of which some are chosen first, are not supported"),
        (MIXTURE, {"expert_weights_norm": 1}, "expert_weights_norm is neither true nor false"),
    ],
)
def test_refuses_bad_metadata(tmp_path: Path, tiny: Tiny, metadata: dict[str, Any], message: str) -> None:
    path = write_tiny(tmp_path / "tiny.gguf", replace(tiny, heads=4, metadata={**tiny.metadata}))
    header = read_header(path)
    changes = {f"deepseek2.{key}": value for key, value in metadata.items()}
    with pytest.raises(WgmlError, match=message) as caught:
        plan(replace(header, metadata={**header.metadata, **changes}))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("tiny", "shapes", "message"),
    [
        (SPLIT, {"attn_k_b": (4, 24, 32)}, r"attn_k_b.weight has the shape \[4, 24, 32\]"),
        (SPLIT, {"attn_k_b": (3, 32, 24)}, r"attn_k_b.weight has the shape \[3, 32, 24\]"),
        (SPLIT, {"attn_k_b": (4, 16, 24)}, "attn_k_b.weight has 16 rows a head instead of 32"),
        (SPLIT, {"attn_k_b": (128, 24)}, "attn_k_b.weight has 2 dimensions instead of 3"),
        (SPLIT, {"attn_v_b": (4, 20, 16)}, r"attn_v_b.weight has the shape \[4, 20, 16\]"),
        (SPLIT, {"attn_kv_a_norm": (48,)}, "attn_kv_a_norm.weight has not 32 elements"),
        (SPLIT, {"attn_q_a_norm": (32,)}, "attn_q_a_norm.weight has not 40 elements"),
        (SPLIT, {"attn_q_b": (160, 32)}, "attn_q_b.weight has rows of 32 elements instead of 40"),
        (SPLIT, {"attn_output": (64, 64)}, "attn_output.weight has rows of 64 elements instead of 80"),
        (UNSPLIT, {"attn_kv_b": (175, 32)}, r"attn_kv_b.weight has the shape \[175, 32\]"),
        (UNSPLIT, {"attn_kv_b": (176, 40)}, r"attn_kv_b.weight has the shape \[176, 40\]"),
    ],
)
def test_refuses_tensors_that_do_not_fit(
    tmp_path: Path, tiny: Tiny, shapes: dict[str, tuple[int, ...]], message: str
) -> None:
    path = write_tiny(tmp_path / "tiny.gguf", replace(tiny, shapes={**tiny.shapes, **shapes}))
    with pytest.raises(WgmlError, match=message):
        plan(read_header(path))


@pytest.mark.parametrize(
    ("shapes", "sizes", "message"),
    [
        ({"attn_q_b": (152, 40), "attn_k_b": (4, 32, 22)}, {"attention.key_length_mla": 38}, "38 elements"),
        (
            {"attn_kv_a_mqa": (50, 64), "attn_k_b": (4, 32, 22)},
            {"rope.dimension_count": 18},
            "18 elements",
        ),
    ],
)
def test_refuses_heads_that_cannot_be_read_four_elements_at_a_time(
    tmp_path: Path, shapes: dict[str, tuple[int, ...]], sizes: dict[str, int], message: str
) -> None:
    tiny = replace(SPLIT, shapes={**SPLIT.shapes, **shapes}, metadata={**SPLIT.metadata, **sizes})
    with pytest.raises(WgmlError, match=f"heads or rows of {message}, no multiple of 4, are not supported"):
        plan(read_header(write_tiny(tmp_path / "tiny.gguf", tiny)))


@pytest.mark.parametrize("name", ["attn_kv_a_mqa", "attn_kv_a_norm", "attn_k_b", "attn_v_b", "attn_q_b"])
def test_refuses_files_that_lack_a_tensor(tmp_path: Path, name: str) -> None:
    layer = " ".join(part for part in SPLIT.layer.split() if part != name)
    with pytest.raises(WgmlError, match=f"lacks the tensor blk.0.{name}.weight"):
        plan(read_header(write_tiny(tmp_path / "tiny.gguf", replace(SPLIT, layer=layer))))


def test_refuses_both_forms_at_once(tmp_path: Path) -> None:
    path = write_tiny(tmp_path / "tiny.gguf", replace(SPLIT, layer=SPLIT.layer + " attn_kv_b"))
    with pytest.raises(WgmlError, match=r"don't have: 'blk\.0\.attn_k_b\.weight' and 3 more"):
        plan(read_header(path))
