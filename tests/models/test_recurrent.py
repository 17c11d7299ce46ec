"""Files that claim a family whose layers have a state that forgets, and lack or misshape what it needs: refused in one
line, from the header alone."""

import re
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny import TINY, write_tiny

from py_wgml import WgmlError
from py_wgml.gguf_model import read_header
from py_wgml.gguf_model.header import Header
from py_wgml.models import plan

DELTA = ["qwen3next", "qwen3next, early", "qwen35", "qwen35, a block that predicts", "qwen35moe"]
SCAN = ["mamba2", "granitehybrid", "granitehybrid, a mixture that rotates", "falcon-h1", "nemotron_h", "nemotron_h_moe"]
TIME_MIX = ["rwkv7", "arwkv7", "arwkv7, without gates"]
SELECTIVE = ["mamba", "mamba, normed steps", "jamba"]


def header_of(tmp_path: Path, name: str, **metadata: Any) -> Header:
    """That of the tiny model `name`, keys (`__` for a dot) changed, or left out for None."""
    header = read_header(write_tiny(tmp_path / "tiny.gguf", TINY[name]))
    changes = {f"{TINY[name].architecture}.{key.replace('__', '.')}": value for key, value in metadata.items()}
    merged = {**header.metadata, **changes}
    return replace(header, metadata={key: value for key, value in merged.items() if value is not None})


def refusal(header: Header) -> str:
    """What is said of a file, for which next to nothing was made."""
    tracemalloc.start()
    try:
        with pytest.raises(WgmlError) as refused:
            plan(header)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 400
    return str(refused.value)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("inner_size", None, "a state for 0 elements in "),
        ("inner_size", 0, "a state for 0 elements in "),
        ("inner_size", 63, "a state for 63 elements in "),
        ("inner_size", 1 << 30, " rows"),
        ("time_step_rank", None, " elements in 0 heads"),
        ("time_step_rank", 0, " elements in 0 heads"),
        ("time_step_rank", 1, " elements in 1 heads and 2 groups"),
        ("group_count", None, " heads and 0 groups"),
        ("group_count", 0, " heads and 0 groups"),
        ("group_count", 3, " heads and 3 groups"),
        ("group_count", 1 << 30, f" heads and {1 << 30} groups"),
        ("state_size", None, ""),
        ("state_size", 0, ""),
        ("state_size", 20, ""),
        ("state_size", 1 << 30, ""),
        ("state_size", 16.5, "ssm.state_size is 16.5, not a size"),
        ("state_size", -16, "ssm.state_size is -16, not a size"),
        ("state_size", np.array([16, 16]), "ssm.state_size is not a number"),
        ("conv_kernel", None, "a convolution of 0 taps"),
        ("conv_kernel", 1, "a convolution of 1 taps"),
        ("conv_kernel", 3, "ssm_conv1d.weight has the shape"),
        ("conv_kernel", 1 << 30, f"a convolution of {1 << 30} taps"),
    ],
)
@pytest.mark.parametrize("name", [*DELTA, *SCAN])
def test_sizes_of_states(tmp_path: Path, name: str, key: str, value: Any, message: str) -> None:
    assert message in refusal(header_of(tmp_path, name, **{f"ssm__{key}": value}))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("inner_size", None, "has 256 rows"),
        ("inner_size", 0, "has 256 rows"),
        ("inner_size", 1 << 30, "has 256 rows instead of "),
        ("time_step_rank", None, "has 40 rows instead of 0 [+] 16 [+] 16"),
        ("time_step_rank", 7, "has 40 rows instead of 7 [+] 16 [+] 16"),
        ("time_step_rank", 40, "has 40 rows instead of 40 [+] 16 [+] 16"),
        ("state_size", None, "has 40 rows instead of 8 [+] 0 [+] 0"),
        ("state_size", 0, "has 40 rows instead of 8 [+] 0 [+] 0"),
        ("state_size", 1 << 30, "has 40 rows instead of "),
        ("conv_kernel", 1, "a convolution of 1 taps"),
        ("conv_kernel", 1 << 30, f"a convolution of {1 << 30} taps"),
        ("dt_b_c_rms", 1, "ssm.dt_b_c_rms is neither true nor false"),
    ],
)
@pytest.mark.parametrize("name", SELECTIVE)
def test_sizes_of_channels(tmp_path: Path, name: str, key: str, value: Any, message: str) -> None:
    assert re.search(message, refusal(header_of(tmp_path, name, **{f"ssm__{key}": value})))


def test_channels_with_more_than_an_invocation_holds(tmp_path: Path) -> None:
    shapes = {**TINY["mamba"].shapes, "ssm_x": (138, 128), "ssm_a": (128, 65)}
    tiny = replace(TINY["mamba"], shapes=shapes, metadata={**TINY["mamba"].metadata, "ssm.state_size": 65})
    header = read_header(write_tiny(tmp_path / "tiny.gguf", tiny))
    assert "a channel's state of 65 elements: supported are up to 64" in refusal(header)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("inner_size", None, "a state for 0 elements in 4 heads and 1 groups"),
        ("inner_size", 128, "ssm_in.weight has 128 rows, not a multiple of 256|instead of 128"),
        ("time_step_rank", None, "a state for 64 elements in 0 heads and 1 groups"),
        ("time_step_rank", 2, "ssm_dt.weight has 4 rows instead of 2"),
        ("state_size", 8, "ssm_x.weight has 96 rows instead of 8 [+] 8 [+] 64"),
        ("state_size", 1 << 30, "ssm_x.weight has 96 rows instead of "),
        ("conv_kernel", 1, "a convolution of 1 taps"),
    ],
)
def test_sizes_of_plamo(tmp_path: Path, key: str, value: Any, message: str) -> None:
    assert re.search(message, refusal(header_of(tmp_path, "plamo2", **{f"ssm__{key}": value})))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("kda__head_dim", None, "a state of 0 keys"),
        ("kda__head_dim", 0, "a state of 0 keys"),
        ("kda__head_dim", 20, "a state of 20 keys"),
        ("kda__head_dim", 1 << 30, f"a state of {1 << 30} keys"),
        ("kda__head_dim", 8, "have 64 [+] 64 [+] 64 rows instead of 32 [+] 32 [+] 32"),
        ("kda__head_dim", -16, "kda.head_dim is -16, not a size"),
        ("attention__head_count", 8, "have 64 [+] 64 [+] 64 rows instead of 128 [+] 128 [+] 128"),
        ("attention__head_count_kv", np.zeros(2, int), "has 2 entries instead of 3"),
        ("ssm__conv_kernel", 3, "ssm_conv1d_q.weight has the shape"),
        ("ssm__conv_kernel", None, "a convolution of 0 taps"),
    ],
)
def test_sizes_of_kimi(tmp_path: Path, key: str, value: Any, message: str) -> None:
    assert re.search(message, refusal(header_of(tmp_path, "kimi-linear", **{key: value})))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("head_size", None, "heads of 0 elements of 64"),
        ("head_size", 0, "heads of 0 elements of 64"),
        ("head_size", 12, "heads of 12 elements of 64"),
        ("head_size", 24, "heads of 24 elements of 64: supported are multiples of 8 up to 128 that divide it"),
        ("head_size", 128, "heads of 128 elements of 64"),
        ("head_size", 1 << 30, f"heads of {1 << 30} elements of 64"),
        ("head_size", -32, "wkv.head_size is -32, not a size"),
        ("head_size", 32.5, "wkv.head_size is 32.5, not a size"),
        ("head_size", np.array([32, 32]), "wkv.head_size is not a number"),
    ],
)
@pytest.mark.parametrize("name", TIME_MIX)
def test_sizes_of_heads(tmp_path: Path, name: str, key: str, value: Any, message: str) -> None:
    assert message in refusal(header_of(tmp_path, name, **{f"wkv__{key}": value}))


@pytest.mark.parametrize("name", TIME_MIX)
def test_the_first_layer_needs_no_values_of_an_earlier_one(tmp_path: Path, name: str) -> None:
    """Files have tensors for that all the same; each other layer needs all three of its own."""
    header = header_of(tmp_path, name)
    parts = [f"time_mix_v{part}.weight" for part in range(3)]
    known = {key: tensor for key, tensor in header.tensors.items() if key not in {f"blk.0.{part}" for part in parts}}
    plan(replace(header, tensors=known))
    for part in parts:
        others = {key: tensor for key, tensor in header.tensors.items() if key != f"blk.1.{part}"}
        assert refusal(replace(header, tensors=others)) == f"the file lacks the tensor blk.1.{part}"


def test_a_state_that_nothing_is_said_of(tmp_path: Path) -> None:
    for name in (*DELTA, *SCAN):
        keys = ("conv_kernel", "inner_size", "state_size", "time_step_rank", "group_count")
        header = header_of(tmp_path, name, **{f"ssm__{key}": None for key in keys})
        assert "a state for 0 elements" in refusal(header)


@pytest.mark.parametrize("keys", [20, 264])
def test_keys_of_which_lanes_have_no_equal_share(tmp_path: Path, keys: int) -> None:
    """The tensors fit, but no kernel does."""
    groups, inner, heads = 2, 128, 8
    mixed = inner + 2 * groups * keys
    shapes = {**TINY["mamba2"].shapes, "ssm_in": (inner + mixed + heads, 64), "ssm_conv1d": (mixed, 4)}
    tiny = replace(TINY["mamba2"], shapes=shapes, metadata={**TINY["mamba2"].metadata, "ssm.state_size": keys})
    header = read_header(write_tiny(tmp_path / "tiny.gguf", tiny))
    assert f"a state of {keys} keys: supported are multiples of 8 up to 256" in refusal(header)


@pytest.mark.parametrize("length", [1, 17])
def test_taps_that_no_kernel_has(tmp_path: Path, length: int) -> None:
    shapes = {**TINY["mamba2"].shapes, "ssm_conv1d": (192, length)}
    tiny = replace(TINY["mamba2"], shapes=shapes, metadata={**TINY["mamba2"].metadata, "ssm.conv_kernel": length})
    header = read_header(write_tiny(tmp_path / "tiny.gguf", tiny))
    assert f"a convolution of {length} taps" in refusal(header)


@pytest.mark.parametrize("count", [2, 3, 17, 1 << 30, (1 << 31) - 1])
@pytest.mark.parametrize("name", ["mamba2", "qwen3next, early"])
def test_layers_that_predict_are_fewer_than_all(tmp_path: Path, name: str, count: int) -> None:
    message = f"nextn_predict_layers is {count} of 2 layers"
    assert message in refusal(header_of(tmp_path, name, nextn_predict_layers=count))


@pytest.mark.parametrize("count", [1, 4])
def test_arrays_have_an_entry_a_layer(tmp_path: Path, count: int) -> None:
    for name in ("granitehybrid", "nemotron_h"):
        header = header_of(tmp_path, name, attention__head_count_kv=np.full(count, 2))
        assert f"attention.head_count_kv has {count} entries instead of 3" in refusal(header)


@pytest.mark.parametrize("name", [*DELTA, *SCAN, *SELECTIVE, "plamo2", "kimi-linear"])
def test_steps_have_a_bias(tmp_path: Path, name: str) -> None:
    """Which other products may do without."""
    header = header_of(tmp_path, name)
    missing = next(key for key in header.tensors if key.endswith("ssm_dt.bias"))
    known = {key: tensor for key, tensor in header.tensors.items() if key != missing}
    assert refusal(replace(header, tensors=known)) == f"the file lacks the tensor {missing}"
