"""The steps of a model that generates, as Programs: recorded once each, replayed for every token."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Literal

import numpy as np

from ..errors import WgmlError
from ..gpu import Buffer, Device, Program
from ..models import Forward, Logits, Made, State, Step, build
from ..ops import Sampling, attention_lengths, attention_splits, constrain, sample
from .constraint import Constraint, Masks
from .draft import CHECKED

STEP_SIZES = (1, 16, 64, 512)
"""A Program is recorded for each of these numbers of tokens a step; a step takes the smallest that holds it."""

Kind = Literal["fill", "sample", "check", "logits"]
"""What a step makes of its tokens beside keys and values: nothing; the token after the last; the token after each; the
logits of each."""

_LOGITS: dict[Kind, Logits] = {"fill": "none", "sample": "last", "check": "every", "logits": "every"}
_AHEAD = 1.0  # seconds after a load has begun: kept weights are read by then


class Steps:
    """The Programs of a model's steps.

    sizes: how many tokens they have room for. programs: those that are recorded, each with what it makes, by what they
    are asked for. forward: what records them. sampling: how they pick tokens, `Sampling.uniform()`. found: the token
    after each of a checked step. masks: of those that are constrained.
    """

    def __init__(self, device: Device, forward: Forward, state: State) -> None:
        self._device, self.forward, self._state = device, forward, state
        self.sizes: tuple[int, ...] = (
            STEP_SIZES[:2] if device.info.software else STEP_SIZES
        )  # where compiling may take seconds
        self.sampling = device.upload(Sampling().uniform(), "sampling")
        self.found = device.buffer(4 * CHECKED, "found")
        self.masks = Masks(device)
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
            if self._is_destroyed:
                return
            with suppress(WgmlError):  # who needs the step is told
                self.program(*step)

    async def ready(
        self, count: int, kind: Kind, length: int, constrained: bool = False, watched: int | None = None
    ) -> Program:
        """A Program that can run: a step of `count` tokens; errors as of Device."""
        program, _ = self.program(count, kind, length, constrained, watched)
        if program not in self._ready:
            await self._device.allocated()
            await self._device.compiled()
            self._ready.add(program)
        return program

    def program(
        self, count: int, kind: Kind, length: int, constrained: bool = False, watched: int | None = None
    ) -> tuple[Program, Made]:
        """The Program of steps of up to `count` tokens over up to `length` positions, and what it makes. constrained:
        it picks what `masks` allow. watched: as of Step."""
        device, room = self._device, CHECKED if kind == "check" else next(n for n in STEP_SIZES if n >= count)
        key = room, kind, attention_splits(device, room, length), constrained, watched, watched is not None and length
        if key not in self.programs:
            program = device.program(f"{kind} {room}")
            state = self._state
            made = build(
                program, self.forward, state, Step(room, length, _LOGITS[kind], self._x_bytes, watched=watched)
            )
            if kind in ("sample", "check"):
                logits = made.logits
                assert logits is not None
                found, most = (self.found, room) if kind == "check" else (None, 1)
                sequence = logits, state.tokens, state.config.vocabulary
                if constrained:
                    constrain(program, state.step, self.masks.tables, *sequence, most if found else None)
                sample(program, state.step, self.sampling, *sequence, found, most)
            self.programs[key] = program, made
        return self.programs[key]

    async def require_numbers(self) -> None:
        """Raises WgmlError where what a step of one token has just made is no number."""
        logits, count = self.program(1, "sample", 1)[1].logits, self._state.config.vocabulary
        assert logits is not None
        if not np.isfinite(await self._device.read_array(logits, (1, count))).all():
            raise WgmlError("what it makes of a token is no number: it overflows somewhere")

    def rebind(self, tokens: Buffer, others: Mapping[Buffer, Buffer]) -> None:
        """Give what is recorded other buffers in the place of some; `tokens` is the sequence's from now on. To record
        it again would take longer than a step."""
        self._state = replace(self._state, tokens=tokens)
        self._rebind(others)

    def constrain(self, position: int, constraint: Constraint) -> None:
        """Let what is picked from `position` on be what `constraint` allows, in constrained steps."""
        self.masks.set(position, constraint, self._rebind)

    def _rebind(self, others: Mapping[Buffer, Buffer]) -> None:
        for program, _ in self.programs.values():
            program.rebind(others)

    def destroy(self) -> None:
        """Give the memory back."""
        self._is_destroyed = True
        self.sampling.destroy()
        self.found.destroy()
        self.masks.destroy()
