"""Steps from the family's function to the GPU: arithmetic that families are free to use, sizes that differ by layer,
memory, and the command that prints it all."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import gpus
import numpy as np
import pytest
from models.kept import IDS
from models.table import BOUND, error, gpu_error
from tiny import TINY, write_tiny

from py_wgml import models
from py_wgml.errors import WgmlError
from py_wgml.generate.draft import CHECKED
from py_wgml.generate.runner import Runner
from py_wgml.gguf_model.header import read_header
from py_wgml.gguf_model.weights import Weights
from py_wgml.gpu.paper import PaperDevice
from py_wgml.models import Activations, Cache, Config, Graph, Plan, State, Step, build
from py_wgml.models.__main__ import main
from py_wgml.models.fuse import fuse
from py_wgml.models.graph import A
from py_wgml.models.layers import gated_mlp
from py_wgml.models.nodes import Concat, Node, Value
from py_wgml.models.numpy_graph import NumpyGraph, TensorFile
from py_wgml.models.place import place
from py_wgml.models.planner import Planned
from py_wgml.ops import Heads, attention_lengths, step_uniform


def arithmetic(g: Graph[A], c: Config) -> A:
    """Each operation that needs no weights, on values that are read again afterwards."""
    x = g.embed("token_embd")
    halves = [g.slice(x, first, 32) for first in (32, 0)]
    gate = g.slice(x, 5, 1)
    y = g.concat(*halves)
    sums = g.add(x, y), g.mul(y, gate), g.mul(gate, x), g.add(x, g.linear(y, "blk.0.ffn_gate_inp"))
    scaled = g.add(sums[0], g.mul(y, gate))
    wide = g.concat(*sums, g.mul(x, x), g.add(y, y), scaled)
    heads = g.linear(y, "blk.0.ffn_gate_inp")
    heads = g.qk_norm(heads, "blk.0.attn_q_norm", "blk.0.attn_k_norm", Heads(2, 1, 16))
    return g.linear(g.add(wide, g.concat(*[heads] * 7)), "output")


@pytest.mark.parametrize("count", [1, 5])
def test_arithmetic(tmp_path: Path, count: int) -> None:
    shapes = {"blk.0.ffn_gate_inp": (64, 64), "output": (512, 448)}
    tiny = replace(TINY["llama"], layer="attn_q_norm attn_k_norm ffn_gate_inp", layers=1, shapes=shapes)
    path = write_tiny(tmp_path / "tiny.gguf", tiny)
    header, device = read_header(path), gpus.device("naga")
    config, file = Config.from_header(header), TensorFile(path)
    expected = arithmetic(NumpyGraph(file, config, np.array(IDS[:count]), {}, {}, np.float64), config)
    found = Plan(header, config)
    assert arithmetic(found, config).width == config.vocabulary

    weights = Weights(device, found.matrices, found.vectors, found.scaled)
    data = path.read_bytes()
    for segment in weights.segments:
        part = data[segment.offset : segment.offset + segment.nbytes]
        device.write(segment.buffer, part, segment.buffer_offset)
    found.kept[0] = config.heads[0]
    step = device.upload(step_uniform(0, count))
    tokens = device.upload(np.array(IDS[:count], np.uint32))
    state = State(config, weights, Cache(device, found, 16, 64), Activations(device), step, tokens)
    program = device.program()
    logits, _ = build(program, arithmetic, state, Step(count, 1, "every"))
    program.run()
    assert logits is not None
    got = asyncio.run(device.read_array(logits, (count, config.vocabulary)))
    assert error(got, expected) < BOUND


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda g, x: g.add(x, g.slice(x, 0, 2)), "the tensor token_embd.weight has 2 rows instead of 64"),
        (lambda g, x: g.add(x, g.slice(x, 0, 1)), "the tensor token_embd.weight has 1 rows instead of 64"),
        (lambda g, x: g.gated(g.slice(x, 0, 3), "silu"), "the tensor token_embd.weight has 3 rows instead of 1 [+] 1"),
        (lambda g, x: g.mul(g.slice(x, 0, 3), x), "the tensor token_embd.weight has 64 rows instead of 3"),
        (lambda g, x: g.slice(x, 60, 5), "the tensor token_embd.weight has 64 rows, too few for 60 to 65"),
        (lambda g, x: g.slice(x, 0, 0), "too few for 0 to 0"),
        (lambda g, x: g.qk_norm(x, "q", "k", Heads(2, 2, 16)), "has 64 rows instead of 32 [+] 32 [+] 32"),
    ],
)
def test_refuses_values_that_do_not_fit(tmp_path: Path, use: Callable[[Plan, Planned], Planned], message: str) -> None:
    header = read_header(write_tiny(tmp_path / "tiny.gguf", TINY["llama"]))
    found = Plan(header, Config.from_header(header))
    with pytest.raises(WgmlError, match=message):
        use(found, found.embed("token_embd"))


@pytest.mark.parametrize("name", ["llama", "gemma3", "qwen2moe", "deepseek2, sigmoid"])
def test_without_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Fusing changes what a step takes, not what it computes."""
    monkeypatch.setattr(sys.modules["py_wgml.models.build"], "fuse", partial(fuse, rules=()))
    assert gpu_error(write_tiny(tmp_path / "tiny.gguf", TINY[name]), gpus.device("naga")) < BOUND


def uneven(g: Graph[A], c: Config) -> A:
    """Llama, with narrower rotations and a window in the second layer, whose heads are wider."""
    first = c.attention(0, c.rope("norm"))
    second = c.attention(1, c.rope("neox", dim=8, base=500.0), heads=Heads(4, 2, 24), window=3)
    x = g.embed("token_embd")
    for how in (first, second):
        block = f"blk.{how.layer}"
        h = g.linear(g.rms_norm(x, f"{block}.attn_norm"), *(f"{block}.attn_{name}" for name in "qkv"))
        x = g.add(x, g.linear(g.attention(h, how), f"{block}.attn_output"))
        x = g.add(x, gated_mlp(g, c, g.rms_norm(x, f"{block}.ffn_norm"), block, "silu"))
    return g.linear(g.rms_norm(x, "output_norm", last=True), "output")


def test_layers_may_differ_in_head_width_window_and_rotation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(models._FORWARD, "llama", uneven)
    shapes = {"attn_q": (96, 64), "attn_k": (48, 64), "attn_v": (48, 64), "attn_output": (64, 96)}
    tiny = replace(TINY["llama"], shapes={f"blk.1.{name}": shape for name, shape in shapes.items()})
    assert gpu_error(write_tiny(tmp_path / "tiny.gguf", tiny), gpus.device("naga")) < BOUND


HEADS = {"attention.head_count": [4, 6], "attention.key_length": 16, "attention.value_length": 16}


@pytest.mark.parametrize("kv", [[2, 3], 2], ids=str)
def test_layers_may_differ_in_heads_and_feed_forward(tmp_path: Path, kv: int | list[int]) -> None:
    metadata = {**TINY["llama"].metadata, **HEADS, "attention.head_count_kv": kv}
    width = 16 * (kv if isinstance(kv, int) else kv[1])
    shapes = {
        "attn_q": (96, 64),
        "attn_k": (width, 64),
        "attn_v": (width, 64),
        "attn_output": (64, 96),
        "ffn_gate": (96, 64),
        "ffn_up": (96, 64),
        "ffn_down": (64, 96),
    }
    shapes = {f"blk.1.{name}": shape for name, shape in shapes.items()}
    path = write_tiny(tmp_path / "tiny.gguf", replace(TINY["llama"], metadata=metadata, shapes=shapes))
    assert gpu_error(path, gpus.device("naga")) < BOUND


def test_heads_of_keys_are_as_many_as_those_of_queries_if_the_file_has_no_number(tmp_path: Path) -> None:
    header = read_header(write_tiny(tmp_path / "tiny.gguf", TINY["llama"]))
    metadata = {**header.metadata, "llama.attention.head_count": np.array([4, 6]), "llama.attention.key_length": 16}
    del metadata["llama.attention.head_count_kv"]
    assert Config.from_header(replace(header, metadata=metadata)).heads == (Heads(4, 4, 16), Heads(6, 6, 16))


def random_nodes(random: np.random.Generator) -> tuple[list[Node], list[Value]]:
    """Of values of few sizes, some of which take the memory of one that nobody reads afterwards."""
    nodes: list[Node] = []
    living: list[Value] = []
    for _ in range(random.integers(1, 40)):
        inputs = [value for value in living if random.random() < 0.3]
        out = tuple(Value(1, int(width)) for width in random.choice([4, 4, 8, 100], random.integers(1, 3)))
        onto = None
        if living and random.random() < 0.3:
            onto = living.pop(random.integers(len(living)))
            out = (Value(onto.rows, onto.width),)
        nodes.append(Node(Concat(), tuple(inputs), out, onto=onto))
        living = [value for value in living if random.random() < 0.7] + [
            value for value in out if random.random() < 0.9
        ]
    return nodes, [value for value in living if random.random() < 0.5]


@pytest.mark.parametrize("seed", range(100))
def test_place(seed: int) -> None:
    nodes, outputs = random_nodes(np.random.default_rng(seed))
    placement = place(nodes, outputs)
    root: dict[Value, Value] = {}
    for node in nodes:
        root |= {value: root[node.onto] if node.onto else value for value in node.outputs}
    reads = [*(node.reads for node in nodes), outputs]
    most, exact = 0, dict.fromkeys({value.nbytes for value in root}, 0)
    for at, node in enumerate(nodes):
        # Counted naively: what was made by then and is still to be read, or is being made.
        made = {root[value] for before in nodes[: at + 1] for value in before.outputs}
        wanted = {root[value] for later in reads[at:] for value in later} | {root[value] for value in node.outputs}
        living = made & wanted
        slots = [placement.slots[value] for value in living]
        assert len(set(slots)) == len(living)
        assert all(placement.sizes[slot] >= value.nbytes for slot, value in zip(slots, living, strict=True))
        most = max(most, sum(value.nbytes for value in living))
        exact = {size: max(count, sum(v.nbytes == size for v in living)) for size, count in exact.items()}
    assert all(placement.slots[value] == placement.slots[root[value]] for value in root)
    assert most <= sum(placement.sizes) <= sum(size * count for size, count in exact.items())
    assert list(placement.sizes) == sorted(placement.sizes, reverse=True)


def test_programs_share_their_activations() -> None:
    activations = Activations(PaperDevice())
    first = activations.take([400, 40, 40])
    assert len(set(first)) == 3
    assert activations.take([400, 100, 40]) == [first[0], activations.buffers[-2], first[1]]
    assert activations.take([40, 40, 40]) == [*first[1:], activations.buffers[-2]]
    assert [buffer.nbytes for buffer in activations.buffers] == [40, 40, 100, 400]
    activations.destroy()
    assert activations.buffers[0].handle is None


def test_what_no_logits_need_is_left_out(tmp_path: Path) -> None:
    """Steps of a prompt but for the last end with the last layer's keys and values."""
    header = read_header(write_tiny(tmp_path / "tiny.gguf", TINY["llama"]))
    runner = Runner(PaperDevice(), header)
    names = [pipeline.name for pipeline, _, _ in runner.steps.program(16, "fill", 1)[0].dispatches]
    assert names[-3:] == ["rms_norm", "linear_few", "rope_append"]


@pytest.mark.parametrize("name", TINY)
def test_every_kernel_is_asked_for_at_the_start(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So it is compiled while the weights stream in: a browser compiles nothing in the middle of an answer."""
    monkeypatch.setattr("py_wgml.generate.steps._AHEAD", 0)
    device = PaperDevice()
    runner = Runner(device, read_header(write_tiny(tmp_path / "tiny.gguf", TINY[name])), TINY[name].wanted)
    asyncio.run(runner.ahead())
    asked = device.pipelines.values()
    runner._grow(runner.context)
    for count in (1, 16, 64, 512):
        for length in attention_lengths(runner.context):
            for kind in ("fill", "sample"):
                runner.steps.program(count, kind, length)
            if runner.speculate:
                runner.steps.program(CHECKED, "check", length)
    assert device.pipelines.values() == asked


def test_layers_that_share_keys_are_left_out_of_prompts(tmp_path: Path) -> None:
    """They store nothing."""
    header = read_header(write_tiny(tmp_path / "tiny.gguf", TINY["gemma4"]))
    runner = Runner(PaperDevice(), header)
    names = [pipeline.name for pipeline, _, _ in runner.steps.program(16, "fill", 1)[0].dispatches]
    assert names.count("rope_append") == 4
    assert names.count("attention_vector") == 3
    assert names[-1] == "rope_append"


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_tiny(tmp_path / "tiny.gguf", TINY["llama"])
    main([str(path), "64"])
    text = capsys.readouterr().out
    titles = [line for line in text.splitlines() if line.startswith("A step")]
    assert titles == [f"A step of {n}, {how}" for n in ("1 token", "64 tokens") for how in ("recorded", "fused")]
    assert text.count("27 nodes, 27 dispatches") == 1
    assert "RmsNorm > Linear > Rotate          blk.0.attn_q blk.0.attn_k blk.0.attn_v" in text
    row = next(line.split() for line in text.splitlines() if "blk.1.ffn_down" in line and "+" in line)
    assert row == ["%10", "Linear", "blk.1.ffn_down", "%9", "+%8", "[1,", "64]", "256", "1"]
    assert "norm into product saves 5 nodes" in text
    fused = next(line for line in text.splitlines() if line.startswith("12 nodes"))
    runner = Runner(PaperDevice(), read_header(path))
    assert fused.startswith(f"12 nodes, {runner.dispatches_per_token - 1} dispatches; ")  # the last one samples


@pytest.mark.parametrize("arguments", [[], ["a", "0"], ["a", "x"], ["a", "²"], ["a", "1", "b"], ["a", "9" * 5000]])
def test_command_says_how_it_is_used(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match=r"usage: python -m py_wgml\.models FILE"):
        main(arguments)


def test_command_refuses_other_files(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="can't read"):
        main([str(tmp_path / "none.gguf")])
