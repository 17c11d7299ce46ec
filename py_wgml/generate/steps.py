"""The steps of a model that generates, as Programs: recorded once each, replayed for every token."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from ..errors import WgmlError
from ..gpu import Buffer, Device, Program
from ..models import Forward, Logits, Made, State, Step, build
from ..ops import (
    Records,
    Sampling,
    View,
    assign,
    attention_lengths,
    attention_splits,
    constrain,
    logprobs,
    sample,
    step_uniform,
    tuning_words,
)
from .constraint import Constraint, Masks
from .draft import CHECKED

STEP_SIZES = (1, 16, 64, 512)
"""A Program is recorded for each of these numbers of tokens a step; a step takes the smallest that holds it."""

Kind = Literal["fill", "sample", "check", "logits"]
"""What a step makes of its tokens beside keys and values: nothing; the token after the last; the token after each; the
logits of each."""

_LOGITS: dict[Kind, Logits] = {"fill": "none", "sample": "last", "check": "every", "logits": "every"}
_AHEAD = 1.0  # seconds after a load has begun: kept weights are read by then


Row = tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]
"""The ids of a token and of the likeliest in its place, and their log-probabilities."""

OnLogprobs = Callable[[npt.NDArray[np.int64], npt.NDArray[np.float32]], None]
"""Is told a row."""

_MANY = 1 << 24  # tokens


@dataclass(frozen=True)
class Picking:
    """What goes on where a token is picked. Each makes a Program of its own.

    constrained: what `masks` exclude is not picked. tuned: samplers apply that need `tuning`. logprobs: a record of
    each picked token is written; not where tokens are checked.
    """

    constrained: bool = False
    tuned: bool = False
    logprobs: bool = False


_PLAIN = Picking()


class Steps:
    """The Programs of a model's steps.

    sizes: how many tokens they have room for. programs: those that are recorded, each with what it makes, by what they
    are asked for. forward: what records them. sampling: how they pick tokens, `Sampling.uniform()`. found: the token
    after each of a checked step. masks: of those that are constrained. records: the log-probabilities, once they were
    asked for.
    """

    def __init__(self, device: Device, forward: Forward, state: State) -> None:
        self._device, self.forward, self._state = device, forward, state
        self.sizes: tuple[int, ...] = (
            STEP_SIZES[:2] if device.info.software else STEP_SIZES
        )  # where compiling may take seconds
        self.sampling = device.upload(Sampling().uniform(), "sampling")
        self.found = device.buffer(4 * CHECKED, "found")
        self.masks = Masks(device)
        self.records: Records | None = None
        self._tuning = device.buffer(4 * tuning_words(state.config.vocabulary), "tuning")
        self._raw: Buffer | None = None  # logits as the model gave them
        self.programs: dict[tuple[object, ...], tuple[Program, Made]] = {}
        self._ready = set[Program]()  # whose kernels are compiled, and whose memory is there
        self._x_bytes = 0
        self._is_destroyed = False

    def record(self, x_bytes: int) -> bool:
        """Record anew what `Runner.start` needs, which takes no longer than reading kept weights does; `ahead` has the
        rest. x_bytes: of what weights are multiplied by. Returns whether a check finds the tokens that steps of one do.
        """
        self._x_bytes = x_bytes
        self.programs.clear()
        self._ready.clear()
        for count in self.sizes if self._device.info.software else (1, self.sizes[2]):
            self.program(count, "sample", 1)
        # Products of experts and of heads round single tokens alone: with them a check would find other tokens.
        token, _ = self.program(1, "sample", 1)
        kernels = [kernel for kernel, *_ in token.dispatches]
        return not any(kernel.parameters.get("x_bytes") and kernel.name != "linear_vector" for kernel in kernels)

    async def ahead(self, context: int, checks: bool) -> None:
        """Record what else answers may need, beside a download or behind it. Who needs it sooner records it then."""
        await asyncio.sleep(_AHEAD)
        wanted: list[tuple[int, Kind, int]] = [
            (count, "sample", length) for count in self.sizes for length in attention_lengths(context)
        ]
        for step in [*wanted, (CHECKED, "check", 1)] if checks else wanted:
            await asyncio.sleep(0)  # others come first
            await self._device.caught_up()
            if self._is_destroyed:
                return
            with suppress(WgmlError):  # who needs the step is told
                self.program(*step)

    def set(self, sampling: Sampling, with_logprobs: bool, constraint: Constraint | None, position: int) -> Picking:
        """Let tokens be picked by `sampling`, from `position` on among what `constraint` allows. Returns what steps are
        to be asked for with. Raises WgmlError for tokens that there are not."""
        vocabulary = self._state.config.vocabulary
        self._device.write(self.sampling, sampling.uniform())
        if sampling.is_tuned:
            self._device.write(self._tuning, sampling.tuning(vocabulary))
        if with_logprobs and self.records is None:
            self.records = Records.make(self._device, vocabulary)
            self._raw = self._device.buffer(4 * vocabulary, "raw logits")
        if constraint is not None:
            self.masks.set(position, constraint, self._rebind)
        return Picking(constraint is not None, sampling.is_tuned, with_logprobs)

    async def ready(
        self, count: int, kind: Kind, length: int, picking: Picking = _PLAIN, watched: int | None = None
    ) -> Program:
        """A Program that can run: a step of `count` tokens; errors as of Device."""
        program, _ = self.program(count, kind, length, picking, watched)
        if program not in self._ready:
            await self._device.allocated()
            await self._device.compiled()
            self._ready.add(program)
        return program

    def program(
        self, count: int, kind: Kind, length: int, picking: Picking = _PLAIN, watched: int | None = None
    ) -> tuple[Program, Made]:
        """The Program of steps of up to `count` tokens over up to `length` positions, and what it makes. watched: as of
        Step."""
        device, room = self._device, CHECKED if kind == "check" else next(n for n in STEP_SIZES if n >= count)
        key = room, kind, attention_splits(device, room, length), picking, watched, watched is not None and length
        if key not in self.programs:
            program = device.program(f"{kind} {room}")
            state = self._state
            step = Step(room, length, _LOGITS[kind], self._x_bytes, watched=watched)
            made = build(program, self.forward, state, step)
            if kind in ("sample", "check"):
                logits = made.logits
                assert logits is not None
                every = (self.found, room) if kind == "check" else None
                sequence = logits, state.tokens, state.config.vocabulary
                raw = self._raw if kind == "sample" and picking.logprobs else None
                if raw is not None:
                    assign(program, "copy", View.of(raw, raw.nbytes // 4), View.of(logits, raw.nbytes // 4))
                if picking.constrained:
                    constrain(program, state.step, self.masks.tables, *sequence, room if every else None)
                tuning = self._tuning if picking.tuned else None
                sample(program, state.step, self.sampling, *sequence, every, tuning)
                if raw is not None and self.records is not None:
                    logprobs(program, state.step, raw, state.tokens, self.records)
            self.programs[key] = program, made
        return self.programs[key]

    async def require_numbers(self) -> None:
        """Raises WgmlError where what a step of one token has just made is no number."""
        logits, count = self.program(1, "sample", 1)[1].logits, self._state.config.vocabulary
        assert logits is not None
        if not np.isfinite(await self._device.read_array(logits, (1, count))).all():
            raise WgmlError("what it makes of a token is no number: it overflows somewhere")

    async def time(self, count: int) -> float:
        """The seconds of a step of `count` tokens, whichever."""
        program, step = await self.ready(count, "sample", count), self._state.step
        for _ in range(2):  # the first run of a kernel may still compile it
            self._device.write(step, step_uniform(0, count))
            began = time.perf_counter()
            await self._device.run_and_read(program, step, 0, 4)
        return time.perf_counter() - began

    def run(self, program: Program, first: int, times: int, picking: Picking) -> Awaitable[bytes]:
        """Run a step `times` over, and read what `taken` makes tokens of: those from position `first` on."""
        if picking.logprobs and self.records:
            size, at = self.records.nbytes, first % self.records.ring
            return self._device.run_and_read(program, self.records.records, size * at, size * times, times)
        return self._device.run_and_read(program, self._state.tokens, 4 * first, 4 * times, times)

    def taken(self, data: bytes, picking: Picking) -> tuple[list[int], list[Row]]:
        """The tokens that `run` has read; of each what `OnLogprobs` is told, if that was asked for."""
        if picking.logprobs and self.records:
            rows = list(zip(*self.records.read(data), strict=True))
            return [int(ids[0]) for ids, _ in rows], rows
        return np.frombuffer(data, np.uint32).tolist(), []

    def room(self, position: int, picking: Picking) -> int:
        """How many tokens from `position` on one `run` can read."""
        return self.records.room(position) if picking.logprobs and self.records else _MANY

    def rebind(self, tokens: Buffer, others: Mapping[Buffer, Buffer]) -> None:
        """Give what is recorded other buffers in the place of some; `tokens` is the sequence's from now on. To record
        it again would take longer than a step."""
        self._state = replace(self._state, tokens=tokens)
        self._rebind(others)

    def _rebind(self, others: Mapping[Buffer, Buffer]) -> None:
        for program, _ in self.programs.values():
            program.rebind(others)

    def destroy(self) -> None:
        """Give the memory back."""
        self._is_destroyed = True
        for made in (self.sampling, self.found, self.masks, self._tuning, self._raw, self.records):
            if made is not None:
                made.destroy()
