"""A model that makes vectors of texts, or scores of them, at work on a GPU: its weights, and the Programs of its steps.

All tokens of a text are in one step, since each may see all others. A step takes as many texts as it has room for, one
behind the other without a gap. Nothing is kept from one step to the next.
"""

import time
from collections import deque
from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import WgmlError
from ..gguf_model.header import Header
from ..gpu import Buffer, Device, Program
from ..models import Activations, Passing, State, Step, Texts, build
from ..models.record import Recorder
from ..ops import Pooling, get_rows, step_uniform
from .engine import Engine

_SMALLEST = 16  # rows of a step; a Program is recorded for each power of two from it on
_MANY = 2048  # rows of a step of several texts, at most; a longer text has a step to itself
_FIRST = 256  # until it is known how fast they go
_LONGEST = 0.5  # seconds of a step: a GPU busy for longer may be reset
_IN_FLIGHT = 2  # steps: one runs while the host takes in the one before it


@dataclass(frozen=True)
class TokenizedText:
    """The tokens of a text; of a pair of texts, of which `second` is where the second one begins."""

    ids: Sequence[int]
    second: int | None = None


class Embedder(Engine):
    """An `Engine` that makes vectors, or scores. `width` is that of a vector, or the number of scores.

    context: the most tokens a text has (default: as many as the model and the device can).
    """

    _cache: Passing

    def __init__(
        self, device: Device, header: Header, context: int | None = None, pooling: Pooling | None = None
    ) -> None:
        super().__init__(device, header, context, pooling)
        self.tokens = 0  # processed so far

        # Keys and values last as long as their layer takes, so that halves of them would save nothing to speak of.
        self._cache = Passing(device, self._plan, 32, self.config.context_length)
        self._inputs: tuple[Buffer, Texts] | None = None
        self._programs: dict[int, tuple[Program, Buffer]] = {}
        self.context = self._cache.max_length
        self._grow(_SMALLEST)
        self._columns, row_bytes = self._sizes()
        self.width = len(self.config.verdicts) or self._columns
        self._verdicts: npt.NDArray[np.float32] | None = None
        self.context = min(self.context, device.max_tensor_bytes // row_bytes)
        self._rows = min(_FIRST, _MANY, self.context)  # of a step of several texts
        self._step_sizes = _SMALLEST, self._rows
        self._grow(self._rows)
        self._record()

    def _record(self) -> None:
        self._programs.clear()
        for count in self._step_sizes:
            self._program(count)

    async def start(self) -> None:
        """Wait for the kernels. Raises WgmlError when the GPU has not enough memory."""
        await super().start()
        if self.config.verdicts:
            self._verdicts = await self._embeddings(self.config.verdicts)

    async def _embeddings(self, ids: Sequence[int]) -> npt.NDArray[np.float32]:
        """The embeddings of a few tokens: float32 [n, columns]."""
        assert self._inputs is not None
        tokens, _ = self._inputs
        out = self.device.buffer(4 * len(ids) * self._columns, "embeddings")
        program = self.device.program("embeddings")
        get_rows(program, self._step, tokens, self.weights.matrices["token_embd",], out, len(ids))
        self.device.write(tokens, np.array(ids, np.uint32))
        self.device.write(self._step, step_uniform(0, len(ids)))
        await self.device.compiled()
        program.run()
        found: npt.NDArray[np.float32] = await self.device.read_array(out, (len(ids), self._columns))
        out.destroy()
        return found

    def _free(self) -> None:
        super()._free()
        self._free_inputs()

    async def vectors(self, texts: Sequence[TokenizedText]) -> npt.NDArray[np.float32]:
        """What the model's last part makes of each text: float32 [n, width], as it is; zeros for one without tokens.

        Raises WgmlError for a text that is too long, and for ids that are none.
        """
        for text in texts:
            if len(text.ids) > self.context:
                raise WgmlError(f"a text has {len(text.ids)} tokens, the model takes {self.context} at most")
            self._require_ids(text.ids)
        async with self.turn():
            return await self._vectors(texts)

    async def _vectors(self, texts: Sequence[TokenizedText]) -> npt.NDArray[np.float32]:
        out = np.zeros((len(texts), self._columns), np.float32)
        pending: deque[tuple[list[int], Awaitable[bytes], float]] = deque()
        last = 0.0

        async def take_in() -> None:
            nonlocal last
            places, data, began = pending.popleft()
            out[places] = np.frombuffer(await data, np.float32).reshape(len(places), self._columns)
            began, last = max(began, last), time.perf_counter()
            self._fit(sum(len(texts[place].ids) for place in places), last - began)

        for places in self._batches(texts):
            read = await self._submit([texts[place] for place in places])
            pending.append((places, read, time.perf_counter()))
            if len(pending) == _IN_FLIGHT:
                await take_in()
        while pending:
            await take_in()
        return out if self._verdicts is None else out @ self._verdicts.T

    def _fit(self, count: int, seconds: float) -> None:
        """Take up how long a step of `count` rows took."""
        most = min(_MANY, self.context)
        self._rows = most if seconds * most <= _LONGEST * count else max(_SMALLEST, int(_LONGEST * count / seconds))

    def _batches(self, texts: Sequence[TokenizedText]) -> Iterator[list[int]]:
        """The texts of each step, by their places."""
        batch: list[int] = []
        rows = 0
        for place, text in enumerate(texts):
            if batch and rows + len(text.ids) > self._rows:
                yield batch
                batch, rows = [], 0
            if text.ids:
                batch.append(place)
                rows += len(text.ids)
        if batch:
            yield batch

    async def _submit(self, texts: Sequence[TokenizedText]) -> Awaitable[bytes]:
        """Submit a step; returns the read of its vectors."""
        lengths = np.array([len(text.ids) for text in texts])
        ends = np.cumsum(lengths)
        wholes = np.stack([ends - lengths, ends], axis=1)
        spans = np.repeat(wholes, lengths, axis=0)
        count = len(spans)
        places = np.arange(count) - spans[:, 0]
        seconds = np.repeat([count if text.second is None else text.second for text in texts], lengths)
        types = np.minimum(places >= seconds, self._kinds - 1)
        await self._reserve(count)
        self._alive()
        assert self._inputs is not None
        tokens, where = self._inputs
        empty = np.zeros((count - len(wholes), 2))
        for buffer, array in (
            (tokens, np.concatenate([text.ids for text in texts])),
            (where.positions, places),
            (where.types, types),
            (where.spans, spans),
            (where.wholes, np.concatenate([wholes, empty])),
        ):
            self.device.write(buffer, array.astype(np.uint32))
        self.device.write(self._step, step_uniform(0, count))
        self.tokens += count
        program, vectors = self._program(count)
        return self.device.run_and_read(program, vectors, 0, 4 * self._columns * len(texts))

    @property
    def _kinds(self) -> int:
        """How many types of tokens there are."""
        table = self.weights.matrices.get(("token_types",))
        return 1 if table is None else table.rows

    async def _reserve(self, count: int) -> None:
        """Make room for steps of `count` rows. Raises WgmlError when the GPU has none."""
        if count > self._cache.length:
            before = self._cache.length
            self._grow(count)
            self._program(count)
            try:
                await self.device.allocated()
            except WgmlError as error:
                self._activations.destroy()
                self._activations = Activations(self.device)
                self._grow(before)
                raise WgmlError(f"{error}: a text of {count} tokens is too long for it") from None
        await self.device.compiled()

    def _grow(self, count: int) -> None:
        """Have buffers for steps of `count` rows."""
        count = self._size_for(count)
        self._free_inputs()
        self._inputs = self.device.buffer(4 * count, "tokens"), Texts.of(self.device, count)
        self._cache.grow(count)
        self._programs.clear()

    def _free_inputs(self) -> None:
        if self._inputs is not None:
            tokens, where = self._inputs
            for buffer in (tokens, *vars(where).values()):
                buffer.destroy()

    def _size_for(self, count: int) -> int:
        return min(max(_SMALLEST, 1 << (count - 1).bit_length()), self.context)

    def _step_of(self, size: int) -> Step:
        assert self._inputs is not None
        return Step(size, size, "every", texts=self._inputs[1])

    def _sizes(self) -> tuple[int, int]:
        """The width of what comes out, and the bytes of a row's largest activation."""
        recorder = Recorder(self.device, self.config, self.weights, self._cache, self._step_of(_SMALLEST))
        width: int = self._forward(recorder, self.config).width
        made = [value for node in recorder.nodes for value in node.outputs]
        return width, max(value.nbytes for value in made) // min(_SMALLEST, self.context)

    def _program(self, count: int) -> tuple[Program, Buffer]:
        """The Program of steps of up to `count` rows, and its vectors."""
        size = self._size_for(count)
        if size not in self._programs:
            assert self._inputs is not None
            program = self.device.program(f"embed {size}")
            tokens, _ = self._inputs
            state = State(self.config, self.weights, self._cache, self._activations, self._step, tokens)
            vectors, _ = build(program, self._forward, state, self._step_of(size))
            assert vectors is not None
            self._programs[size] = program, vectors
        return self._programs[size]
