"""Models that make vectors or scores of texts: each family's tiny one on the GPU, against NumPy and against what others
make of it; and what can't be run is refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import gpus
import numpy as np
import pytest
from models.kept import IDS
from models.table import BOUND
from models.test_families import ODD
from models.vectors import HALVES, gpu_error, kept, llama_cpp_error, transformers_error, types
from tiny import EMBEDDING, TINY, write_tiny

from py_wgml import WgmlError
from py_wgml.gguf_model import read_header
from py_wgml.models import plan
from py_wgml.models.__main__ import listing
from py_wgml.models.numpy_graph import NumpyModel


def tiny_file(folder: Path, name: str, **changes: Any) -> Path:
    tiny = EMBEDDING[name]
    changes |= {member: {**getattr(tiny, member), **changes.get(member, {})} for member in ("metadata", "shapes")}
    return write_tiny(folder / "tiny.gguf", replace(tiny, **changes))


@pytest.mark.parametrize("name", EMBEDDING)
def test_gpu(name: str, tmp_path: Path) -> None:
    """Several texts in one step, and pairs beside single ones."""
    assert gpu_error(tiny_file(tmp_path, name), gpus.device("naga")) < BOUND


@pytest.mark.parametrize("name", kept("transformers"))
def test_transformers(name: str, tmp_path: Path) -> None:
    assert transformers_error(name, tiny_file(tmp_path, name)) < BOUND


@pytest.mark.parametrize("name", kept("llama.cpp"))
def test_llama_cpp(name: str, tmp_path: Path) -> None:
    assert llama_cpp_error(name, tiny_file(tmp_path, name)) < HALVES


@pytest.mark.parametrize("name", EMBEDDING)
def test_steps_can_be_printed(name: str, tmp_path: Path) -> None:
    lines = list(listing(read_header(tiny_file(tmp_path, name)), (1, 32)))
    assert any("Pool" in line for line in lines)


def test_the_second_text_of_a_pair_is_of_another_type(tmp_path: Path) -> None:
    model = NumpyModel(tiny_file(tmp_path, "bert, reranker"))
    assert abs(model.vector(IDS, types(IDS)) - model.vector(IDS)) > 1e-3
    one = NumpyModel(tiny_file(tmp_path, "bert, cls, one type"))
    np.testing.assert_array_equal(one.vector(IDS, types(IDS)), one.vector(IDS))


@pytest.mark.parametrize("key", [None, False])
def test_encoders_see_in_both_directions_whatever_their_files_leave_out(key: bool | None, tmp_path: Path) -> None:
    header = read_header(tiny_file(tmp_path, "bert"))
    metadata = {**header.metadata, "bert.attention.causal": key, "bert.pooling_type": None}
    metadata = {name: value for name, value in metadata.items() if value is not None}
    config, *_ = plan(replace(header, metadata=metadata))
    assert (config.causal, config.pooling) == (False, "mean")


@pytest.mark.parametrize(
    ("name", "metadata", "pooling", "ranks"),
    [
        ("bert", {"bert.pooling_type": 2}, "cls", False),
        ("bert", {"bert.pooling_type": 0}, "mean", False),
        ("bert, reranker", {"bert.pooling_type": 4}, "cls", True),
        ("modern-bert, reranker", {}, "mean", True),
        ("modern-bert, reranker", {"modern-bert.classifier.pooling_type": 2}, "cls", True),
        ("qwen3, embedding", {"qwen3.pooling_type": 1}, "mean", False),
        ("qwen3, embedding", {"qwen3.pooling_type": 0}, None, False),
        ("qwen3, reranker", {}, "last", True),
    ],
    ids=str,
)
def test_pooling(name: str, metadata: dict[str, Any], pooling: str | None, ranks: bool, tmp_path: Path) -> None:
    header = read_header(tiny_file(tmp_path, name))
    config, *_ = plan(replace(header, metadata={**header.metadata, **metadata}))
    assert (config.pooling, config.ranks) == (pooling, ranks)


def test_what_generates_embeds_where_that_is_asked_for(tmp_path: Path) -> None:
    """Its logits, their scale and their cap are left out."""
    for name in ("llama", "gemma2", "command-r", "granite"):
        header = read_header(write_tiny(tmp_path / "tiny.gguf", TINY[name]))
        assert plan(header)[0].pooling is None
        config, _, found = plan(header, pooling="last")
        assert (config.pooling, config.final_soft_cap, config.logit_scale) == ("last", None, 1.0)
        assert ("output",) not in found.matrices


def test_parts_that_were_of_use_in_training_alone_are_passed_over(tmp_path: Path) -> None:
    rest = f"{EMBEDDING['modern-bert'].rest} cls cls.norm"
    config, _, found = plan(read_header(tiny_file(tmp_path, "modern-bert", rest=rest)))
    assert not config.ranks
    assert ("cls",) not in found.matrices


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("bert", {"metadata": {"pooling_type": 9}}, "pooled in a way with the number 9"),
        ("bert", {"metadata": {"pooling_type": 4}}, "lacks the tensor cls.output.weight"),
        ("bert", {"metadata": {"pooling_type": "mean"}}, "bert.pooling_type is not a number"),
        ("bert", {"metadata": {"attention.causal": 0}}, "bert.attention.causal is neither true nor false"),
        ("bert", {"rest": "token_embd_norm+ token_types"}, "lacks the tensor position_embd.weight"),
        ("bert", {"rest": "token_types position_embd"}, "lacks the tensor token_embd_norm.weight"),
        ("bert", {"shapes": {"token_types": (2, 32)}}, "token_types.weight has rows of 32 elements instead of 64"),
        ("bert", {"shapes": {"position_embd": (10, 64)}}, "too small for the file's context length"),
        ("bert", {"shapes": {"ffn_down": (32, 128)}}, "ffn_down.weight has 32 rows instead of 64"),
        ("bert", {"shapes": {"attn_output_norm": (32,)}}, "attn_output_norm.weight has not 64 elements"),
        ("bert", {"rest": f"{EMBEDDING['bert'].rest} surprise"}, "'surprise.weight'"),
        ("bert, reranker", {"shapes": {"cls.output": (1, 32)}}, "cls.output.weight has rows of 32 elements"),
        ("bert, reranker", {"shapes": {"cls": (64, 32)}}, "cls.weight has rows of 32 elements instead of 64"),
        ("nomic-bert", {"shapes": {"ffn_gate": (64, 64)}}, "instead of 96 [+] 96"),
        ("nomic-bert-moe", {"metadata": {"expert_used_count": 0}}, "0 of 6 experts"),
        ("nomic-bert-moe", {"shapes": {"ffn_up_exps": (6, 64, 64)}}, "ffn_down_exps.weight has the shape"),
        (
            "jina-bert-v2",
            {"layer": f"{EMBEDDING['jina-bert-v2'].layer} attn_q_norm+"},
            "lacks the tensor blk.0.attn_k_norm.weight",
        ),
        ("jina-bert-v2", {"shapes": {"ffn_up": (128, 64)}}, "ffn_down.weight has rows of 128 elements instead of 64"),
        ("modern-bert", {"metadata": {"hidden_activation": "mish"}}, "hidden_activation is 'mish'; supported: gelu"),
        ("modern-bert", {"rest": "token_embd_norm"}, "lacks the tensor output_norm.weight"),
        (
            "modern-bert",
            {"layer": "", "each": (EMBEDDING["modern-bert"].each[0],) * 5},
            "lacks the tensor blk.1.attn_norm",
        ),
        ("gemma-embedding", {"shapes": {"dense_3": (64, 32)}}, "dense_3.weight has rows of 32 elements instead of 160"),
        ("qwen3, reranker", {"rest": "output_norm"}, "lacks the tensor cls.output.weight: convert it anew"),
        ("qwen3, reranker", {"rest": "output_norm output"}, "lacks the tensor cls.output.weight: convert it anew"),
    ],
    ids=str,
)
def test_refusals(name: str, changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(WgmlError, match=message):
        plan(read_header(tiny_file(tmp_path, name, **changes)))


@pytest.mark.parametrize("name", ["bert", "nomic-bert", "modern-bert, reranker", "qwen3, reranker"])
@pytest.mark.parametrize(
    "key",
    [
        *(
            "pooling_type",
            "classifier.pooling_type",
            "attention.causal",
            "hidden_activation",
            "attention.sliding_window",
        ),
        *("context_length", "attention.head_count", "attention.layer_norm_epsilon", "attention.sliding_window_pattern"),
    ],
)
def test_odd_values_are_refused_in_one_line(name: str, key: str, tmp_path: Path) -> None:
    header = read_header(tiny_file(tmp_path, name))
    for value in ODD:
        metadata = {**header.metadata, f"{EMBEDDING[name].architecture}.{key}": value}
        try:
            config, *_ = plan(replace(header, metadata=metadata))
        except WgmlError as error:
            assert str(error).isprintable() and len(str(error)) < 400  # noqa: PT017
        else:
            assert config.pooling in ("mean", "cls", "last", None)


def test_layers_with_another_state_do_not_embed(tmp_path: Path) -> None:
    for name in ("lfm2", "mamba2", "deepseek2, dense"):
        header = read_header(write_tiny(tmp_path / "tiny.gguf", TINY[name]))
        with pytest.raises(WgmlError, match="something else than keys and values"):
            plan(header, pooling="mean")
