"""Models whose layers forget: conversations go on from what was remembered, wherever they are taken up again."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gpus
import numpy as np
import pytest
from tiny import TINY, write_tiny

from py_wgml import Model
from py_wgml.generate.runner import Runner
from py_wgml.models.numpy_graph import NumpyModel
from py_wgml.models.snapshots import Snapshots
from py_wgml.ops import Sampling

NAMES = ["qwen35", "granitehybrid", "rwkv7"]
GREEDY = Sampling(temperature=0.0)


@pytest.fixture(scope="module", params=NAMES)
def path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    tiny = replace(TINY[request.param], context=4096)
    return write_tiny(tmp_path_factory.mktemp("snapshots") / "tiny.gguf", tiny)


@pytest.fixture(scope="module")
def loaded(path: Path) -> Iterator[Model]:
    found = asyncio.run(Model.load(path, device=gpus.device("naga", timestamps=True)))
    yield found
    found.destroy()


@pytest.fixture
def model(loaded: Model) -> Model:
    loaded.runner.forget()
    return loaded


def generated(runner: Runner, ids: Sequence[int], count: int, turns: Sequence[int] = ()) -> list[int]:
    """The first `count` tokens that follow `ids`; more may be under way."""

    async def run() -> list[int]:
        tokens = runner.generate(ids, GREEDY, turns=turns)
        try:
            return [await anext(tokens) for _ in range(count)]
        finally:
            await tokens.aclose()

    return asyncio.run(run())


def random_ids(count: int, seed: int = 5) -> list[int]:
    return [int(id) for id in np.random.default_rng(seed).integers(3, 512, count)]


def expected(path: Path, ids: Sequence[int], count: int) -> list[int]:
    """By the reference, which processes all of it anew for each token."""
    reference, found = NumpyModel(path, np.float64), list(ids)
    logits = reference.logits(found)[-1]
    for _ in range(count):
        found.append(int(logits.argmax()))
        logits = reference.logits(found[-1:])[-1]
    return found[len(ids) :]


WAYS: dict[str, Callable[[list[int], list[int]], list[int]]] = {
    "again": lambda ids, answer: ids,
    "on from its end": lambda ids, answer: ids + answer,
    "on from its middle": lambda ids, answer: ids + answer[:20] + [7, 8],
    "another end": lambda ids, answer: [*ids[:-3], 9, 9, 9],
    "another turn": lambda ids, answer: [*ids[:40], *random_ids(30, 6)],
    "another beginning": lambda ids, answer: [17, *ids[1:]],
    "shorter": lambda ids, answer: ids[:50],
}


@pytest.mark.parametrize("way", WAYS)
def test_what_is_reused_changes_nothing(way: str, model: Model, path: Path) -> None:
    runner, ids = model.runner, random_ids(90)
    answer = generated(runner, ids, 45, turns=[40, 80])
    assert answer == expected(path, ids, 45)
    asked = WAYS[way](ids, answer)
    reused = runner.reused(asked)
    assert generated(runner, asked, 12) == expected(path, asked, 12)
    least = {"another beginning": 0, "shorter": 40, "another turn": 40, "on from its end": 90}
    assert reused >= least.get(way, 80)


def test_timing_a_step_is_not_remembered(model: Model, path: Path) -> None:
    runner, ids = model.runner, random_ids(33)
    first = generated(runner, ids, 3)
    assert asyncio.run(runner.gpu_seconds(2)) > 0
    assert generated(runner, [*ids, *first], 5) == expected(path, [*ids, *first], 5)


def test_what_was_walked_through_without_snapshots_is_gone_on_from(model: Model, path: Path) -> None:
    runner, ids = model.runner, random_ids(700)
    asyncio.run(runner.logits(ids))
    assert not runner._cache.snapshots.positions
    longer = [*ids, *random_ids(600, 6)]
    assert runner.reused(longer) == len(ids)
    assert generated(runner, longer, 3) == expected(path, longer, 3)
    assert max(np.diff([700, *runner._cache.snapshots.positions])) <= 512


def test_an_edited_question_costs_itself(model: Model) -> None:
    """The last one of a conversation of 2,000 tokens, counted as they are submitted."""
    runner, submitted = model.runner, []
    write, size = runner._write_tokens, 250  # tokens of a turn

    def counted(ids: Sequence[int], position: int) -> None:
        submitted.append(len(ids))
        write(ids, position)

    runner._write_tokens = counted  # type: ignore[method-assign]
    said: list[Any] = []
    for turn in range(8):
        words = "abcdefgh"[turn] * (size - 20)
        said += [{"role": "user" if turn % 2 == 0 else "assistant", "content": words}]
    said += [{"role": "user", "content": "What is it?"}]
    lengths = []

    async def ask(messages: list[Any]) -> int:
        generation = model.generate(messages, max_tokens=8)
        async for _ in generation:
            pass
        lengths.append(generation.usage.prompt_tokens)
        return generation.usage.cached_tokens

    asyncio.run(ask(said))
    assert lengths[0] > 1800
    cached = asyncio.run(ask([*said[:-1], {"role": "user", "content": "What was it?"}]))
    assert lengths[1] - cached < 64
    assert submitted[1] == lengths[1] - cached
    earlier = [*said[:6], {"role": "user", "content": "And before that?"}]
    assert lengths[0] - asyncio.run(ask(earlier)) < 600 + (lengths[0] - lengths[2])


def test_snapshots_are_thinned_out() -> None:
    device = gpus.device("naga")
    state = device.buffer(4 << 20, "state")
    snapshots = Snapshots(device, [state])
    for position in range(512, 16384, 512):
        snapshots.take(position)
    positions = snapshots.positions
    assert len(positions) == 8
    assert positions[-1] == 15872
    assert max(np.diff([0, *positions])) <= 4096
    for position in (15900, 15932, 15964, 15996):
        snapshots.take(position, passing=True)
    assert snapshots.positions == [*positions, 15932, 15964, 15996]
    snapshots.forget(positions[3])
    assert snapshots.positions == positions[:4]
    snapshots.destroy()
    state.destroy()


def test_a_snapshot_is_what_was_there() -> None:
    device = gpus.device("naga")
    states = [device.upload(np.full(8, value, np.float32)) for value in (1, 2)]
    snapshots = Snapshots(device, states)
    snapshots.take(10)
    for state in states:
        device.write(state, np.zeros(8, np.float32))
    snapshots.take(20, passing=True)
    snapshots.restore(10)
    assert [asyncio.run(device.read_array(state, (8,))).tolist() for state in states] == [[1.0] * 8, [2.0] * 8]
    snapshots.restore(20)
    assert [asyncio.run(device.read_array(state, (8,))).max() for state in states] == [0, 0]
