"""A look inside: what a model held likely at each place of a text, where it looked, and what a token's time goes to."""

import statistics
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ..errors import WgmlError
from .runner import Runner

_AT_ONCE = 16  # tokens a step
_STEP_BYTES = 16 << 20  # of a step's attention; where that is more, it takes a token at a time
_MOST_BYTES = 256 << 20  # of all attention that is kept

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Inspection:
    """What was found at the positions from `first` on, a row each; T: how many positions there are up to the last one.

    likeliest: uint32 [rows, top], the tokens likeliest to come next, the likeliest first, and logprobs: float32 [rows,
    top], the natural logarithms of their probabilities. came: float32 [rows], that of the token that did come next; nan
    where the text ends. attention: what the position weighs each position by, in the layer that was asked for: float32
    [rows, T] of a head, [heads, rows, T] of all; rows sum to 1, or less where the heads have sinks.
    """

    first: int
    likeliest: npt.NDArray[np.uint32]
    logprobs: Floats
    came: Floats
    attention: Floats | None = None


@dataclass
class _Rows:
    """What comes of one step after the other."""

    likeliest: list[npt.NDArray[np.intp]] = field(default_factory=list)
    logprobs: list[Floats] = field(default_factory=list)
    came: list[Floats] = field(default_factory=list)
    attention: list[Floats] = field(default_factory=list)


async def inspect(
    runner: Runner,
    ids: Sequence[int],
    layer: int | None = None,
    head: int | None = None,
    top: int = 5,
    first: int = 0,
    end: int | None = None,
) -> Inspection:
    """Process `ids` and look at the positions first .. end (default: all). layer: whose attention is looked at; head:
    of that (default: all). What the cache holds is used, and is there afterwards: the next answer waits for nothing.

    Raises WgmlError for a layer without attention or a head that it has not, where ids don't fit, or there would be too
    much to keep.
    """
    end = len(ids) if end is None else end
    positions, at_once = end, _AT_ONCE
    if layer is not None:
        heads = heads_of(runner, layer, head)
        kept = 1 if head is not None else heads
        if 4 * kept * (end - first) * positions > _MOST_BYTES:
            raise WgmlError(
                f"attention of {kept} heads at {end - first} positions is too much: choose a head, or fewer"
            )
        if 4 * heads * _AT_ONCE * positions > _STEP_BYTES:
            at_once = 1
    rows = _Rows()
    async with aclosing(runner.walk(ids, first, end, at_once, layer)) as steps:
        async for position, count, made in steps:
            skipped = max(0, first - position)
            if skipped >= count:
                continue
            assert made.logits is not None
            logits = await runner.device.read_array(made.logits, (count, runner.config.vocabulary))
            _likely(rows, logits[skipped:], ids[position + skipped + 1 : position + count + 1], top)
            if made.weights is not None:
                shape, every = made.weights.shape, head is None
                size = shape[1] * shape[2]
                data = await runner.device.read(
                    made.weights.buffer, 4 * size * (shape[0] if every else 1), 0 if every else 4 * size * (head or 0)
                )
                weights = np.frombuffer(data, np.float32).reshape(-1, *shape[1:])
                rows.attention.append(weights[:, skipped:count, :positions])
    attention = np.concatenate(rows.attention, axis=1) if rows.attention else None
    return Inspection(
        first,
        np.concatenate(rows.likeliest).astype(np.uint32),
        np.concatenate(rows.logprobs),
        np.concatenate(rows.came),
        attention if attention is None or head is None else attention[0],
    )


def heads_of(runner: Runner, layer: int, head: int | None = None) -> int:
    """How many heads attend in a layer. Raises WgmlError where none does, or `head` is none of them."""
    heads = runner.attending.get(layer)
    if heads is None:
        those = ", ".join(map(str, runner.attending)) or "none"
        raise WgmlError(f"layer {layer} has no attention to look at; those that have: {those}")
    if head is not None and not 0 <= head < heads:
        raise WgmlError(f"head {head} of layer {layer}: it has {heads}, from 0 on")
    return heads


def _likely(rows: _Rows, logits: Floats, following: Sequence[int], top: int) -> None:
    """Take in rows of logits [n, vocabulary], and the tokens that came after them: n, or one less at the end."""
    highest = logits.max(axis=1, keepdims=True)
    total = highest + np.log(np.exp(logits - highest).sum(axis=1, keepdims=True))
    among = np.argpartition(-logits, top - 1, axis=1)[:, :top]
    order = np.argsort(-np.take_along_axis(logits, among, axis=1), axis=1, kind="stable")
    ids = np.take_along_axis(among, order, axis=1)
    rows.likeliest.append(ids)
    rows.logprobs.append(np.take_along_axis(logits, ids, axis=1) - total)
    came = np.full(len(logits), np.nan, np.float32)
    came[: len(following)] = logits[np.arange(len(following)), following] - total[: len(following), 0]
    rows.came.append(came)


@dataclass(frozen=True)
class Dispatches:
    """Dispatches of a token's step that are alike: of a kernel, in as many workgroups, so many, with the seconds that
    all of them take together."""

    kernel: str
    workgroups: tuple[int, int, int]
    count: int
    seconds: float


async def profile_token(runner: Runner, repetitions: int = 5) -> list[Dispatches]:
    """The dispatches of a token's step by kind, in the order of their first: medians of so many runs.

    Each is timed in a pass of its own, and so takes somewhat longer than in the step. Raises WgmlError on a GPU without
    a clock that may be read.
    """
    async with runner.turn():
        program = runner.token_program
        runs = [await runner.profile() for _ in range(repetitions)]
    kinds: dict[tuple[str, tuple[int, int, int]], list[float]] = {}
    for (pipeline, _, workgroups), times in zip(program.dispatches, zip(*runs, strict=True), strict=True):
        kinds.setdefault((pipeline.name, workgroups), []).append(statistics.median(times))
    return [Dispatches(*kind, len(times), sum(times)) for kind, times in kinds.items()]
