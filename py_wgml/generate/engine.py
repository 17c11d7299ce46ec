"""A model at work on a GPU: its weights, its cache of processed tokens, and the recorded Programs of its steps."""

import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

import numpy as np
import numpy.typing as npt

from ..errors import WgmlError
from ..gguf_model.header import Header
from ..gguf_model.weights import Weights
from ..gpu import Buffer, Device, Program
from ..models import Cache, GpuGraph, Pool, plan
from ..ops import Sampling, sample, step_block

# A Program is recorded for each of these numbers of tokens a step; a step takes the smallest that holds it.
_STEP_SIZES = (1, 16, 64, 256)
_FIRST_LENGTH = 1024  # positions that the cache has room for at first
_SLOW_STEP = 0.05  # seconds a token, from which on ...
_SLOW_STEP_SIZE = 16  # ... a step takes no more tokens than this (browsers reset a GPU that is busy for seconds)
_STEPS_IN_FLIGHT = 4  # submitted ahead of the step whose token is waited for, so that the GPU never idles


class Engine:
    """Runs the model of `header` on `device`. Upload `weights.segments`, then `await start()`.

    context: the most tokens it will hold (default: as many as the model and the device can).
    half_cache: keep keys and values in half precision. Raises WgmlError for a model that is not supported.
    """

    def __init__(self, device: Device, header: Header, context: int | None = None, half_cache: bool = True) -> None:
        self.device = device
        self.config, self._forward, found = plan(header, context)
        self.weights = Weights(device, found.matrices, found.vectors)
        self.parameters = sum(int(np.prod(tensor.shape)) for tensor in header.tensors.values())

        self._cache = Cache(device, self.config, found.ropes, half_cache)
        self.context = self._cache.max_length
        self._pool = Pool(device)
        self._step = device.buffer(16, "step")
        self._sampling = device.upload(Sampling().block(), "sampling")
        self._tokens: Buffer | None = None
        self._programs: dict[tuple[int, str], tuple[Program, Buffer]] = {}
        self._sequence: list[int] = []  # the tokens processed or sampled last, from the first on
        self._stored = 0  # positions whose keys and values the cache holds once the submitted steps are done
        self._step_size = _STEP_SIZES[-1]
        self._in_flight = 1
        self._reserve(min(_FIRST_LENGTH, self.context))
        # Ask for every kernel now: browsers compile them while the weights stream in.
        for count in _STEP_SIZES:
            self._program(count, "sample")
        self._program(self._step_size, "fill")

    async def start(self) -> None:
        """Wait for the kernels and run one step, which also tells how fast this GPU is."""
        await self.device.compiled()
        await self._cache.read_factors(self.weights)
        for _ in range(2):  # the first run of a kernel may still compile it
            self.device.write(self._step, step_block(0, 1))
            began = time.perf_counter()
            await self.device.run_and_read(self._program(1, "fill")[0], self._step, 0, 4)
        slow = time.perf_counter() - began > _SLOW_STEP
        self._step_size = _SLOW_STEP_SIZE if slow else _STEP_SIZES[-1]
        self._in_flight = 1 if slow else _STEPS_IN_FLIGHT

    def destroy(self) -> None:
        """Give all GPU memory back."""
        self.weights.destroy()
        self._cache.destroy()
        self._pool.destroy()
        for buffer in (self._step, self._sampling, self._tokens):
            if buffer is not None:
                buffer.destroy()

    def reused(self, ids: Sequence[int]) -> int:
        """How many of the first `ids` need no processing, since the cache holds them (the last one always does)."""
        count = 0
        for held, wanted in zip(self._sequence[: self._stored], ids[:-1], strict=False):
            if held != wanted:
                break
            count += 1
        return count

    @property
    def dispatches_per_token(self) -> int:
        """Dispatches of the step that takes one token and samples the next."""
        return len(self._program(1, "sample")[0].dispatches)

    @property
    def context_used(self) -> int:
        """How many positions the cache holds."""
        return self._stored

    def forget(self) -> None:
        """Start from an empty cache next time."""
        self._sequence, self._stored = [], 0

    async def generate(
        self, ids: Sequence[int], sampling: Sampling, on_prefill: Callable[[int], None] = lambda done: None
    ) -> AsyncGenerator[int]:
        """Process `ids` (but for what the cache holds already), then yield one sampled token after the other until the
        context is full or the caller stops.

        on_prefill is called with the number of processed ids as they are. Raises WgmlError when the ids don't fit.
        """
        self._check(ids)
        self.device.write(self._sampling, sampling.block())
        pending = await self._prefill(ids, on_prefill)
        while True:
            # Each step takes in the token that the step before it samples; the host need not know it yet.
            while len(pending) < self._in_flight and self._stored < self.context:
                self._reserve(self._stored + 1)
                pending.append(self._submit(1, "sample", self._stored + 1))
            if not pending:
                return
            token = int.from_bytes(await pending.popleft(), "little")
            self._sequence.append(token)
            yield token

    async def logits(self, ids: Sequence[int], at_once: int = _SLOW_STEP_SIZE) -> npt.NDArray[np.float32]:
        """ids [T] -> logits [T, vocabulary] of the token after each, from an empty cache, `at_once` ids a step."""
        self._check(ids)
        self.forget()
        rows: list[npt.NDArray[np.float32]] = []
        while len(rows) < len(ids):
            count = min(at_once, len(ids) - len(rows))
            program, logits = self._program(_size_for(count), "logits")
            await self.device.compiled()
            self._write_tokens(ids[len(rows) : len(rows) + count], len(rows))
            self.device.write(self._step, step_block(len(rows), count))
            self.device.run(program)
            rows.extend(await self.device.read_array(logits, (count, self.config.vocabulary)))
        self._sequence, self._stored = list(ids), len(ids)
        return np.stack(rows)

    def _check(self, ids: Sequence[int]) -> None:
        if not ids:
            raise WgmlError("there is no token to start from")
        if len(ids) > self.context:
            raise WgmlError(f"the conversation has {len(ids)} tokens, the context only {self.context}")
        if min(ids) < 0 or max(ids) >= self.config.vocabulary:
            raise WgmlError(f"a token id is not below the vocabulary's {self.config.vocabulary}")
        self._reserve(len(ids))

    async def _prefill(self, ids: Sequence[int], on_prefill: Callable[[int], None]) -> deque[Awaitable[bytes]]:
        """Take in `ids`. Returns the reads of the steps under way; the last one reads the token that follows `ids`."""
        pending: deque[Awaitable[bytes]] = deque()
        start = self.reused(ids)
        self._sequence = list(ids)
        self._stored = start
        self._write_tokens(ids[start:], start)
        while self._stored < len(ids):
            count = min(self._step_size, len(ids) - self._stored)
            is_last = self._stored + count == len(ids)
            self.device.write(self._step, step_block(self._stored, count))
            pending.append(self._submit(count, "sample" if is_last else "fill", self._stored + count))
            # One step ahead of the one that is waited for.
            while len(pending) > (1 if is_last else 2):
                await pending.popleft()
            on_prefill(self._stored)
        return pending

    def _submit(self, count: int, kind: str, token: int) -> Awaitable[bytes]:
        """Submit the step that takes in the next `count` tokens, and a read of `tokens[token]` after it."""
        program, _ = self._program(_size_for(count), kind)
        assert self._tokens is not None
        self._stored += count
        return self.device.run_and_read(program, self._tokens, 4 * token, 4)

    def _write_tokens(self, ids: Sequence[int], position: int) -> None:
        assert self._tokens is not None
        self.device.write(self._tokens, np.asarray(ids, np.uint32), 4 * position)

    def _reserve(self, length: int) -> None:
        """Make room for `length` positions."""
        if length <= self._cache.length:
            return
        length = min(max(length, 2 * self._cache.length), self.context)
        tokens = self.device.buffer(4 * (length + 1), "tokens")
        if self._tokens is not None:
            self.device.copy(self._tokens, tokens, self._tokens.nbytes)
            self._tokens.destroy()
        self._tokens = tokens
        self._cache.grow(length)
        self._programs.clear()

    def _program(self, count: int, kind: str) -> tuple[Program, Buffer]:
        """The Program of steps of up to `count` tokens, and its logits. kind: "fill" stops at the last token's logits,
        "sample" picks the next token from them, "logits" makes those of every token."""
        if (count, kind) not in self._programs:
            assert self._tokens is not None
            program = self.device.program(f"{kind} {count}")
            state = program, self._step, self._tokens, self.weights, self.config, self._cache, self._pool
            graph = GpuGraph(*state, count, every=kind == "logits")
            logits = self._forward(graph, self.config)
            if kind == "sample":
                sample(program, self._step, self._sampling, logits.buffer, self._tokens, self.config.vocabulary)
            self._programs[count, kind] = program, logits.buffer
        return self._programs[count, kind]


def _size_for(count: int) -> int:
    return next(size for size in _STEP_SIZES if size >= count)
