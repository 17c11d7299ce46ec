"""How likely a picked token was, and which were the likeliest: log-probabilities."""

from dataclasses import dataclass

import numpy as np

from ..gpu import Buffer, Device, Program
from .lib.array import Array
from .lib.view import View
from .top_k import top_k, top_k_numpy, top_k_partials

__all__ = ["TOP_LOGPROBS", "Records", "logprobs", "logprobs_numpy"]

TOP_LOGPROBS = 20  # or as many as there are tokens
_RING = 1024  # records
_WORKGROUP_SIZE = 256
_UNROLL = 8
_SPLITS = 8  # workgroups that look for the likeliest


@dataclass(frozen=True)
class Records:
    """Where `logprobs` writes, and what it needs for that.

    records: float32 [ring, 1 + top, 2], that of position p in row p % ring: the picked token and its log-probability,
    then the likeliest ones and theirs, largest first. values, ids, partials: of `top_k`.
    """

    vocabulary: int
    records: Buffer
    ids: Buffer
    values: Buffer
    partials: Buffer
    ring: int

    @classmethod
    def make(cls, device: Device, vocabulary: int, ring: int = _RING) -> "Records":
        """Those for a vocabulary."""
        top = min(TOP_LOGPROBS, vocabulary)
        sizes = 8 * ring * (1 + top), 4 * top, 4 * top, top_k_partials(1, top, _SPLITS)
        records, ids, values, partials = (device.buffer(size, "logprobs") for size in sizes)
        return cls(vocabulary, records, ids, values, partials, ring)

    @property
    def top(self) -> int:
        """How many of the likeliest a record has."""
        return min(TOP_LOGPROBS, self.vocabulary)

    @property
    def nbytes(self) -> int:
        """Bytes of one record."""
        return 8 * (1 + self.top)

    def room(self, position: int) -> int:
        """How many records lie one behind the other from that of `position` on."""
        return self.ring - position % self.ring

    def destroy(self) -> None:
        """Give the memory back."""
        for buffer in (self.records, self.ids, self.values, self.partials):
            buffer.destroy()

    def read(self, data: bytes) -> tuple[Array, Array]:
        """Some records' bytes -> ids int [n, 1 + top], and their log-probabilities, float32 of that shape."""
        pairs = np.frombuffer(data, np.float32).reshape(-1, 1 + self.top, 2)
        return pairs[..., 0].astype(np.int64), pairs[..., 1]


def logprobs(program: Program, step: Buffer, logits: Buffer, tokens: Buffer, found: Records) -> None:
    """Write the record of the token that `sample` has picked, by the model's own logits, float32 [vocabulary]: those
    before biases and penalties.

    step: as `sample` leaves it. tokens: uint32 [context + 1].
    """
    row, chosen = View.of(logits, 1, found.vocabulary), View.of(found.ids, 1, found.top)
    top_k(program, row, chosen, View.of(found.values, 1, found.top), _SPLITS, found.partials)
    program.dispatch(
        "logprobs",
        {
            "step": step,
            "tokens": tokens,
            "logits": logits,
            "ids": found.ids,
            "values": found.values,
            "records": found.records,
        },
        1,
        {"vocabulary": found.vocabulary, "top": found.top, "ring": found.ring},
        workgroup_size=_WORKGROUP_SIZE,
        unroll=_UNROLL,
    )


def logprobs_numpy(logits: Array, token: int, top: int) -> tuple[Array, Array]:
    """logits float32 [vocabulary], a token -> the ids of it and of the `top` likeliest, and their log-probabilities,
    [1 + top] each."""
    ids = np.append(token, top_k_numpy(logits, top)[0])
    exact = logits.astype(np.float64)
    return ids, (exact - exact.max() - np.log(np.exp(exact - exact.max()).sum()))[ids]
