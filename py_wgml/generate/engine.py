"""What every model at work on a GPU has, whether it generates or embeds."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import numpy as np

from ..errors import WgmlError
from ..gguf_model.header import Header
from ..gguf_model.weights import Weights
from ..gpu import Device, Program
from ..models import Activations, Cache, Forward, Passing, Plan, plan, spread_scales
from ..ops import Heads, Pooling
from .trial import Kinds, examine
from .turns import Turns


class Engine(ABC):
    """The model of `header` on `device`: its weights, and what its steps work with. Upload `weights.segments`, and
    `await examine()` before that, or meanwhile; then `await start()`.

    context: the most tokens it takes. pooling: see `Config.from_header`. parameters: how many there are.
    attending: how many heads attend in each layer that has any.
    Raises WgmlError for a model that is not supported.
    """

    context: int
    _cache: Cache | Passing
    _step_sizes: tuple[int, ...]  # tokens that steps have room for
    _programs: Mapping[Any, tuple[Program, Any]]
    _x_bytes = 0  # of what weights are multiplied by; 0: floats

    def __init__(self, device: Device, header: Header, context: int | None, pooling: Pooling | None = None) -> None:
        self.device = device
        self.config, self._forward, self._plan = plan(header, context, pooling)
        self.weights = Weights(device, self._plan.matrices, self._plan.vectors, self._plan.scaled)
        self.attending: Mapping[int, int] = self._plan.attending
        self._header = header
        self._spread = device.program()
        spread_scales(self._spread, self.weights, self._plan.scaled)
        self.parameters = sum(int(np.prod(tensor.shape)) for tensor in header.tensors.values())
        self._activations = Activations(device)
        self._step = device.buffer(16, "step")
        self._turns = Turns()
        self._destroyed = False

    @property
    def programs(self) -> list[Program]:
        """Its steps, as far as they are recorded."""
        return [program for program, _ in self._programs.values()]

    async def examine(self) -> None:
        """Try on this GPU what the steps are made of, which needs no weights, and do without what it computes wrongly.
        Raises WgmlError where it computes nothing right."""
        heads = dict.fromkeys(kept for kept in self._plan.kept.values() if isinstance(kept, Heads))
        matrices, columns = tuple(self.weights.matrices.values()), self.config.embedding_length
        sizes, causal = (self._step_sizes, self.context), self.config.causal
        kinds = Kinds(matrices, columns, tuple(heads), self._cache.bits, *sizes, causal, self._x_bytes)
        if await examine(self.device, kinds):
            self._record()

    @abstractmethod
    def _record(self) -> None:
        """Ask for every kernel, for browsers to compile them while the weights stream in."""

    async def start(self) -> None:
        """Wait for the kernels. Raises WgmlError when the GPU has not enough memory."""
        await self.device.allocated()
        await self.device.compiled()
        self._spread.run()
        await self._cache.read_factors(self.weights)

    def _planned(self, forward: Forward | None) -> Plan:
        """What another function needs of the file; errors as of `planned`. None: the family's own."""
        if forward is None:
            return self._plan
        from ..models.rewritten import planned  # which few need

        return planned(forward, self._header, self.config, self._plan)

    def make_room(self, length: int) -> None:
        """Have memory for so many tokens. Programs recorded before must not run any more."""
        self._cache.grow(length)

    async def idle(self) -> None:
        """Wait until the GPU has done all that it was asked."""
        await self.device.read(self._step, 4)

    def turn(self) -> AbstractAsyncContextManager[None]:
        """A turn of one's own, for what is done at once and not token by token."""
        return self._turns.turn()

    def destroy(self) -> None:
        """Give all GPU memory back. What is under way ends with a WgmlError."""
        if not self._destroyed:
            self._destroyed = True
            self._free()

    def _free(self) -> None:
        self.weights.destroy()
        self._cache.destroy()
        self._activations.destroy()
        self._step.destroy()

    def _alive(self) -> None:
        if self._destroyed:
            raise WgmlError("the model was destroyed")

    def _require_ids(self, ids: Sequence[int]) -> None:
        if ids and not 0 <= min(ids) <= max(ids) < self.config.vocabulary:
            raise WgmlError(f"a token id is not below the vocabulary's {self.config.vocabulary}")
