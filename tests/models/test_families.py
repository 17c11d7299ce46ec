"""Every family's tiny model: the GPU against NumPy, NumPy against transformers and llama.cpp; and what can't be run is
refused."""

import asyncio
import dataclasses
import inspect
import math
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import gpus
import numpy as np
import pytest
from gguf import GGMLQuantizationType
from models.kept import IDS, LLAMA_CPP, TRANSFORMERS, WITHOUT, kept
from models.llama_cpp import write_for_llama_cpp
from models.table import BOUND, gpu_error, kept_error, llama_cpp_error
from quantize import NVFP4
from tiny import EMBEDDING, TINY, Tiny, write_tiny, write_tiny_llama

from py_wgml import Model, WgmlError
from py_wgml.gguf_model import read_header
from py_wgml.gguf_model.ggml import NOT_READ, OUTSIDE
from py_wgml.gguf_model.header import Header
from py_wgml.gguf_model.source import StreamSource
from py_wgml.gguf_model.weights import TYPES
from py_wgml.models import ARCHITECTURES, Graph, Plan, plan
from py_wgml.models.numpy_graph import NumpyModel
from py_wgml.ops import Scaling, linear_attention


@pytest.mark.parametrize("name", TINY)
def test_gpu(name: str, tmp_path: Path) -> None:
    """On one compiler: the tests of the ops have both."""
    path = write_tiny(tmp_path / "tiny.gguf", TINY[name])
    assert gpu_error(path, gpus.device("naga"), context=TINY[name].wanted) < BOUND


@pytest.mark.parametrize("name", [name for name, tiny in TINY.items() if "ssm.conv_kernel" in tiny.metadata])
def test_gpu_by_chunks(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Layers that remember, in a step of more tokens, and one that goes on from there. PLaMo 2 is not as near, token by
    token neither."""
    monkeypatch.setattr(sys.modules[linear_attention.__module__], "_CHUNKS_FROM", 17)
    path = write_tiny(tmp_path / "tiny.gguf", TINY[name])
    assert gpu_error(path, gpus.device("naga"), context=TINY[name].wanted, sizes=[17]) < BOUND * (
        2 if name.startswith("plamo2") else 1
    )


def test_a_mixture_that_uses_all_its_experts(tmp_path: Path) -> None:
    """What is chosen is as large as what it is chosen by."""
    tiny = TINY["mixtral"]
    whole = replace(tiny, metadata={**tiny.metadata, "expert_used_count": tiny.metadata["expert_count"]})
    assert gpu_error(write_tiny(tmp_path / "tiny.gguf", whole), gpus.device("naga")) < BOUND


def test_scales_beside_those_of_blocks(tmp_path: Path) -> None:
    """Of blocks as they come from NVIDIA's own quantizer."""
    path = write_tiny(tmp_path / "tiny.gguf", TINY["qwen3, scales of tensors"], type=NVFP4)
    assert gpu_error(path, gpus.device("naga")) < BOUND


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ({"blk.0.attn_q.scale": (2,)}, "'qwen3' don't have: 'blk.0.attn_q.scale'"),
        ({"blk.1.ffn_down.scale": (64,)}, "'qwen3' don't have: 'blk.1.ffn_down.scale'"),
    ],
)
def test_refuses_scales_that_do_not_fit(tmp_path: Path, shapes: dict[str, tuple[int, ...]], message: str) -> None:
    header = read_header(write_tiny(tmp_path / "tiny.gguf", TINY["qwen3, scales of tensors"]))
    changed = {name: replace(header.tensors[name], shape=shape) for name, shape in shapes.items()}
    with pytest.raises(WgmlError, match=message):
        plan(replace(header, tensors={**header.tensors, **changed}))


def test_refuses_scales_of_embeddings(tmp_path: Path) -> None:
    """Which a tied output would have alone."""
    header = read_header(write_tiny(tmp_path / "tiny.gguf", TINY["qwen3, scales of tensors"]))
    scale = replace(header.tensors["blk.0.attn_q.scale"], name="token_embd.scale")
    with pytest.raises(WgmlError, match=r"scale of the whole tensor token_embd\.weight"):
        plan(replace(header, tensors={**header.tensors, scale.name: scale}))


def test_layers_of_which_none_attends(tmp_path: Path) -> None:
    """Nothing is rotated."""
    path = write_tiny(tmp_path / "tiny.gguf", replace(TINY["lfm2"], layers=1))
    assert gpu_error(path, gpus.device("naga")) < BOUND


@pytest.mark.parametrize("name", kept(TRANSFORMERS))
def test_numpy_is_transformers(name: str, tmp_path: Path) -> None:
    path = write_tiny(tmp_path / "tiny.gguf", TINY[name])
    assert kept_error(path, kept(TRANSFORMERS)[name], TINY[name].wanted) < BOUND


@pytest.mark.parametrize("name", kept(LLAMA_CPP))
def test_numpy_is_llama_cpp(name: str, tmp_path: Path) -> None:
    path = write_for_llama_cpp(tmp_path / "tiny.gguf", name)
    assert llama_cpp_error(path, kept(LLAMA_CPP)[name], TINY[name].wanted) < BOUND


@pytest.mark.parametrize("other", WITHOUT, ids=lambda path: path.name)
def test_a_second_opinion_on_every_family_or_a_reason(other: Path) -> None:
    assert {*kept(other)} == {*TINY} - {*WITHOUT[other]}


def test_the_context_ends_where_queries_would_have_to_be_scaled(tmp_path: Path) -> None:
    config, _, _ = plan(read_header(write_tiny(tmp_path / "tiny.gguf", TINY["mistral3"])))
    assert config.context_length == 256


def test_every_architecture_has_a_tiny_model() -> None:
    assert {tiny.architecture for tiny in (*TINY.values(), *EMBEDDING.values())} == set(ARCHITECTURES)


@pytest.mark.parametrize("name", TINY)
def test_numpy_bit_by_bit_equals_all_at_once(name: str, tmp_path: Path) -> None:
    model = NumpyModel(write_tiny(tmp_path / "tiny.gguf", TINY[name]), np.float64, TINY[name].wanted)
    whole = model.logits(IDS)
    model.reset()
    parts = np.concatenate([model.logits(IDS[:1]), model.logits(IDS[1:9]), model.logits(IDS[9:])])
    np.testing.assert_allclose(parts, whole, rtol=1e-9, atol=1e-9)


def test_refused_before_anything_past_the_header_is_read(tmp_path: Path) -> None:
    """The file ends with its header, and the stream is never asked for more."""
    path = write_tiny(tmp_path / "tiny.gguf", replace(TINY["llama"], architecture="mpt"))
    head = path.read_bytes()[: read_header(path).data_offset]
    reads: list[int | str] = []

    class Stream:
        def read(self, count: int) -> bytes:
            reads.append(count)
            return head if len(reads) == 1 else pytest.fail("read past the header")

        def close(self) -> None:
            reads.append("closed")

    stream: Any = Stream()

    async def load() -> None:
        await Model.load(StreamSource(stream, "mpt.gguf"), device=gpus.device("naga"))

    with pytest.raises(WgmlError, match=f"'mpt' are not supported; supported: {', '.join(ARCHITECTURES)}"):
        asyncio.run(load())
    assert reads[1:] == ["closed"]


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"general.architecture": None}, "does not say its architecture"),
        ({"llama.rope.scaling.type": "dynamic"}, "rope scaling 'dynamic' is not supported"),
        ({"llama.attention.head_count": 0}, "llama.attention.head_count is 0, not a size"),
        ({"llama.attention.head_count": "four"}, "llama.attention.head_count is not a number"),
        ({"llama.attention.head_count_kv": 3}, "evenly"),
        ({"llama.attention.value_length": 8}, "differ in length"),
        (
            {"llama.attention.key_length": 24, "llama.attention.value_length": 24},
            "attn_q.weight and those beside it have 64 [+] 32 [+] 32 rows instead of 96 [+] 48 [+] 48",
        ),
        ({"llama.block_count": 3}, "the file has tensors of 2 layers, not of 3"),
        ({"llama.block_count": 1}, "'llama' don't have: 'blk.1.attn_norm.weight' and 8 more"),
        ({"llama.rope.dimension_count": 18}, "rotary embedding of 18 of 16 elements"),
        ({"llama.rope.freq_base": -1.0}, "llama.rope.freq_base is -1, which makes no sense"),
        ({"llama.residual_scale": float("nan")}, "llama.residual_scale is nan"),
        ({"llama.embedding_length": 65}, "rows of 65 elements"),
        ({"llama.attention.layer_norm_rms_epsilon": None}, "lacks llama.attention.layer_norm_rms_epsilon"),
    ],
)
def test_refuses_bad_metadata(tmp_path: Path, metadata: dict[str, Any], message: str) -> None:
    header = read_header(write_tiny_llama(tmp_path / "tiny.gguf"))
    changed = {key: value for key, value in {**header.metadata, **metadata}.items() if value is not None}
    with pytest.raises(WgmlError, match=message):
        plan(replace(header, metadata=changed))


ODD: tuple[Any, ...] = (
    *(True, 0, -1, 1 << 30, (1 << 31) - 1, 1 << 31, 1 << 63, 0.0, 0.5, -1.5, 1e-30, 1e30, 1e308, math.nan, math.inf),
    *(-math.inf, "", "text", "\udcff", [], ["text"], [["a"]], np.zeros(0), np.array([1.0, 2.0]), np.array([math.nan])),
    *(np.array([1, 1 << 40]), np.array([True, False]), np.full(2, -1)),
)
SIZES = [f"attention.{key}" for key in ("head_count", "head_count_kv", "key_length", "value_length", "sliding_window")]
SIZES += ["block_count", "embedding_length", "context_length", "expert_count", "expert_used_count", "shortconv.l_cache"]
SIZES += ["rope.dimension_count", "rope.scaling.original_context_length", "attention.sliding_window_pattern"]
SIZES += ["expert_group_count", "expert_gating_func"]
SIZES += [f"ssm.{key}" for key in ("conv_kernel", "inner_size", "state_size", "time_step_rank", "group_count")]
SIZES += ["nextn_predict_layers", "kda.head_dim"]
SIZES += [f"attention.{key}" for key in ("q_lora_rank", "kv_lora_rank", "key_length_mla", "value_length_mla")]
NUMBERS = ["attention.layer_norm_rms_epsilon", "attention.layer_norm_epsilon", "attention.temperature_scale"]
NUMBERS += ["attention.scale", "attn_logit_softcapping", "final_logit_softcapping", "embedding_scale", "residual_scale"]
NUMBERS += ["logit_scale", "expert_weights_scale", "rope.freq_base", "rope.freq_base_swa"]
NUMBERS += [f"rope.scaling.{key}" for key in ("factor", "attn_factor", "yarn_attn_factor", "yarn_log_multiplier")]
NUMBERS += [f"rope.scaling.{key}" for key in ("yarn_beta_fast", "yarn_beta_slow")]
FLAGS = ["use_parallel_residual", "expert_weights_norm"]


ODD_OF = ["llama", "qwen2, yarn", "gemma3", "phi3, longrope", "mixtral", "lfm2", "mistral3"]
ODD_OF += ["qwen3next, early", "granitehybrid", "mamba2", "deepseek2, sigmoid", "kimi-linear"]


@pytest.mark.parametrize("name", ODD_OF)
@pytest.mark.parametrize("key", [*SIZES, *NUMBERS, "rope.scaling.type", *FLAGS])
def test_odd_values_are_refused_or_make_numbers(tmp_path: Path, name: str, key: str) -> None:
    """Of every key that is read: what is taken is finite and above 0 where it must be."""
    path = write_tiny(tmp_path / "tiny.gguf", TINY[name])
    header = read_header(path)
    for value in ODD:
        changed = {**header.metadata, f"{TINY[name].architecture}.{key}": value}
        try:
            config, _, found = plan(replace(header, metadata=changed))
        except WgmlError as error:
            assert str(error).isprintable() and len(str(error)) < 400  # noqa: PT017
            continue
        for member in dataclasses.fields(config):
            number = getattr(config, member.name)
            assert not isinstance(number, float) or (math.isfinite(number) and number >= 0), (value, member.name)
        for rope in found.ropes:
            assert np.isfinite(rope.rotations(0, 8, None)).all(), value


def test_scaling_without_a_name_is_none(tmp_path: Path) -> None:
    header = read_header(write_tiny_llama(tmp_path / "tiny.gguf"))
    for named in ({}, {"llama.rope.scaling.type": ""}, {"llama.rope.scaling.type": "none"}):
        config, *_ = plan(replace(header, metadata={**header.metadata, **named}))
        assert config.rope_norm.scaling is None


def test_a_factor_without_a_type_stretches_linearly(tmp_path: Path) -> None:
    """As llama.cpp has it, for files from before there were types."""
    header = read_header(write_tiny_llama(tmp_path / "tiny.gguf", metadata={"rope.scaling.factor": 4.0}))
    config, *_ = plan(header)
    assert config.rope_norm.scaling == Scaling("linear", 4.0)


@pytest.mark.parametrize("count", [3, 1 << 20, 1 << 30, (1 << 31) - 1])
def test_layers_are_compared_with_the_tensors_first(tmp_path: Path, count: int) -> None:
    header = read_header(write_tiny_llama(tmp_path / "tiny.gguf"))
    tracemalloc.start()
    with pytest.raises(WgmlError, match=f"tensors of 2 layers, not of {count}"):
        plan(replace(header, metadata={**header.metadata, "llama.block_count": count}))
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("count", [1, 3])
def test_lists_have_an_entry_a_layer(tmp_path: Path, count: int) -> None:
    header = read_header(write_tiny_llama(tmp_path / "tiny.gguf"))
    for key in ("attention.head_count", "attention.head_count_kv", "attention.sliding_window_pattern"):
        with pytest.raises(WgmlError, match=f"llama.{key} has {count} entries instead of 2"):
            plan(replace(header, metadata={**header.metadata, f"llama.{key}": np.ones(count, int)}))


@pytest.mark.parametrize(
    ("tensor", "type", "message"),
    [
        ("blk.0.attn_norm.weight", GGMLQuantizationType.F16, "is of type F16; vectors must be F32"),
        ("blk.0.attn_q.weight", GGMLQuantizationType.I32, r"is of type I32 \(whole numbers, .*\); supported: F32"),
        ("blk.0.attn_q.weight", GGMLQuantizationType.Q8_1, r"is of type Q8_1 \(what .*\); supported: F32"),
    ],
)
def test_types_are_known_from_the_header(tmp_path: Path, tensor: str, type: GGMLQuantizationType, message: str) -> None:
    header = read_header(write_tiny_llama(tmp_path / "tiny.gguf"))
    tensors = {**header.tensors, tensor: replace(header.tensors[tensor], type=type)}
    with pytest.raises(WgmlError, match=message):
        plan(replace(header, tensors=tensors))


def test_every_type_is_read_or_refused_with_a_reason() -> None:
    """Those that the gguf package lists."""
    listed = {type.name for type in GGMLQuantizationType}
    assert {type.name for type in TYPES} | NOT_READ.keys() >= listed
    assert not {type.name for type in TYPES} & NOT_READ.keys()
    assert {*OUTSIDE.values()} == NOT_READ.keys() - listed
    assert not {*map(int, GGMLQuantizationType)} & OUTSIDE.keys()


def metadata_of(tokens: list[str], **changes: Any) -> dict[str, Any]:
    return {"tokenizer.ggml.tokens": tokens, "tokenizer.ggml.token_type": np.ones(len(tokens), int), **changes}


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (metadata_of([f"t{id}" for id in range(513)]), "the file has 513 tokens, but an embedding of 512"),
        (metadata_of([f"t{id}" for id in range(500)]), "the file has 500 tokens, but an embedding of 512"),
        ({"general.name": ["a", "list"]}, "general.name is not text"),
        ({"tokenizer.ggml.model": "nonesuch"}, "vocabularies of kind 'nonesuch'"),
        ({"tokenizer.chat_template": "{% for"}, "chat template has an error in line 1"),
        ({"llama.attention.head_count": math.nan}, "llama.attention.head_count is nan, not a size"),
    ],
)
def test_nothing_is_given_up_for_a_model_that_its_header_shows_to_be_bad(
    tmp_path: Path, metadata: dict[str, Any], message: str
) -> None:
    """Who holds a model frees it when `on_header` is called; so it must not be, and no GPU be touched."""
    path = write_tiny_llama(tmp_path / "tiny.gguf")

    class Changed(StreamSource):
        async def read_header(self) -> Header:
            header = await super().read_header()
            return replace(header, metadata={**header.metadata, **metadata})

    source = Changed(path.open("rb"), "tiny.gguf", path.stat().st_size)
    no_gpu: Any = object()
    with pytest.raises(WgmlError, match=message):
        asyncio.run(Model.load(source, device=no_gpu, on_header=lambda header: pytest.fail("given up")))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rest": "output_norm output surprise"}, "don't have: 'surprise.weight'"),
        (
            {"shapes": {"ffn_gate": (64, 64)}},
            "ffn_gate.weight and those beside it have 64 [+] 128 rows instead of 96 [+] 96",
        ),
        (
            {"shapes": {"attn_q": (32, 64), "attn_k": (64, 64)}},
            "have 32 [+] 64 [+] 32 rows instead of 64 [+] 32 [+] 32",
        ),
        ({"shapes": {"attn_v": (40, 64)}}, "have 64 [+] 32 [+] 40 rows instead of 64 [+] 32 [+] 32"),
        ({"shapes": {"attn_output": (1, 64)}}, "attn_output.weight has 1 rows instead of 64"),
        ({"shapes": {"ffn_down": (1, 128)}}, "ffn_down.weight has 1 rows instead of 64"),
        ({"shapes": {"ffn_up": (128, 32)}}, "ffn_up.weight has rows of 32 elements instead of 64"),
        ({"shapes": {"attn_norm": (32,)}}, "attn_norm.weight has not 64 elements"),
        ({"shapes": {"attn_norm": (8, 8)}}, "attn_norm.weight has 2 dimensions instead of 1"),
        ({"shapes": {"output": (500, 64)}}, "a logit for each of 512 tokens"),
        ({"shapes": {"ffn_down": (32, 128)}}, "ffn_down.weight has 32 rows instead of 64"),
        ({"rest": "output_norm output rope_freqs", "shapes": {"rope_freqs": (3,)}}, "rope_freqs.weight has not 8"),
    ],
    ids=str,
)
def test_refuses_tensors_that_do_not_fit(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = write_tiny(tmp_path / "tiny.gguf", replace(TINY["llama"], **changes))
    with pytest.raises(WgmlError, match=message):
        plan(read_header(path))


def test_refuses_early_files_of_minicpm(tmp_path: Path) -> None:
    tiny = replace(TINY["minicpm"], metadata=TINY["llama"].metadata)
    with pytest.raises(WgmlError, match="lacks minicpm"):
        plan(read_header(write_tiny(tmp_path / "tiny.gguf", tiny)))


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"xielu.alpha_p": None}, "the file lacks xielu.alpha_p or xielu.alpha_n"),
        ({"xielu.alpha_n": None}, "the file lacks xielu.alpha_p or xielu.alpha_n"),
        ({"xielu.alpha_n": np.ones(3)}, "xielu.alpha_n has 3 entries instead of 2"),
        ({"xielu.alpha_p": 0.8}, "xielu.alpha_p is not an array of numbers"),
        ({"xielu.alpha_p": np.array([0.8, math.nan])}, "xielu.alpha_p holds a number that is not finite"),
        ({"xielu.alpha_p": np.array([0.8, 1e30])}, "holds a number that makes no sense"),
        ({"xielu.beta": np.array([0.5, 0.4])}, "xielu.beta is not 0.5 in every layer"),
    ],
    ids=str,
)
def test_refuses_activations_without_their_parameters(tmp_path: Path, metadata: dict[str, Any], message: str) -> None:
    header = read_header(write_tiny(tmp_path / "tiny.gguf", TINY["apertus"]))
    changed = {key: value for key, value in {**header.metadata, **metadata}.items() if value is not None}
    with pytest.raises(WgmlError, match=message):
        plan(replace(header, metadata=changed))


def test_refuses_taps_that_do_not_fit(tmp_path: Path) -> None:
    path = write_tiny(tmp_path / "tiny.gguf", replace(TINY["lfm2"], shapes={"conv": (64, 4)}))
    with pytest.raises(WgmlError, match=r"shortconv.conv.weight has the shape \[64, 4\]"):
        plan(read_header(path))


@pytest.mark.parametrize("heads", [[-1, 2, 0, 2, 0], [1.5, 2.0, 1.0, 2.0, 1.0]], ids=str)
def test_refuses_numbers_of_heads_that_are_none(tmp_path: Path, heads: list[float]) -> None:
    metadata = {**TINY["lfm2"].metadata, "attention.head_count_kv": heads}
    with pytest.raises(WgmlError, match=r"lfm2\.attention\.head_count_kv is not a list of sizes"):
        plan(read_header(write_tiny(tmp_path / "tiny.gguf", replace(TINY["lfm2"], metadata=metadata))))


def test_positions_must_reach_to_the_context(tmp_path: Path) -> None:
    tiny: Tiny = replace(TINY["gpt2"], shapes={"position_embd": (100, 64)})
    with pytest.raises(WgmlError, match="is too small for the file's context length"):
        plan(read_header(write_tiny(tmp_path / "tiny.gguf", tiny)))


def test_longrope_serves_its_original_context_unless_asked_for_more(tmp_path: Path) -> None:
    header = read_header(write_tiny(tmp_path / "tiny.gguf", TINY["phi3, longrope"]))
    contexts = {}
    for wanted in (None, 100, 300, 5000):
        config, _, found = plan(header, wanted)
        contexts[wanted] = config.context_length, *(rope.factors for rope in found.ropes)
    assert contexts == {
        None: (256, "rope_factors_short.weight"),
        100: (100, "rope_factors_short.weight"),
        300: (300, "rope_factors_long.weight"),
        5000: (1024, "rope_factors_long.weight"),
    }


def test_graphs_have_one_interface() -> None:
    """A default that one of the graphs has otherwise would make families differ between GPU and reference."""
    for name, method in inspect.getmembers(Graph, inspect.isfunction):
        for graph in Graph.__subclasses__():
            own = inspect.signature(getattr(graph, name)).parameters.values()
            theirs = inspect.signature(method).parameters.values()
            assert [(p.name, p.default) for p in own] == [(p.name, p.default) for p in theirs], (graph, name)
    assert Plan in Graph.__subclasses__()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metadata": {**TINY["mixtral"].metadata, "expert_used_count": 7}}, "7 of 6 experts"),
        ({"metadata": {**TINY["mixtral"].metadata, "expert_count": 5}}, "2 of 5 experts"),
        ({"metadata": {**TINY["mixtral"].metadata, "expert_group_count": 2}}, "experts in 2 groups"),
        (
            {"metadata": {**TINY["mixtral"].metadata, "expert_gating_func": 4}},
            "with the gating function 4 are not supported",
        ),
        ({"layer": TINY["mixtral"].layer + " exp_probs_b=", "shapes": {"exp_probs_b": (5,)}}, r"instead of \[6\]"),
        ({"shapes": {"ffn_up_exps": (6, 128, 32)}}, "ffn_up_exps.weight has the shape"),
        ({"shapes": {"ffn_down_exps": (6, 64, 96)}}, "ffn_down_exps.weight has the shape"),
        ({"shapes": {"ffn_down_exps": (6, 32, 128)}}, "ffn_down_exps.weight has 32 rows instead of 64"),
    ],
    ids=str,
)
def test_refuses_experts_that_do_not_fit(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = write_tiny(tmp_path / "tiny.gguf", replace(TINY["mixtral"], **changes))
    with pytest.raises(WgmlError, match=message):
        plan(read_header(path))
