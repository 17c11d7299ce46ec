"""The selective scan of Mamba (Gu and Dao, arXiv:2312.00752): a state for each channel, of which each element forgets
at a rate of its own."""

from dataclasses import dataclass

import numpy as np

from ..errors import WgmlError
from ..gpu import Buffer, Program
from .lib.array import Array
from .lib.view import Columns

__all__ = ["Channels", "Selected", "selective_scan", "selective_scan_numpy"]

_WORKGROUP_SIZE = 64
_MOST_KEYS = 64  # an invocation holds so many elements, and as many rates


def scan_state(width: int, keys: int) -> tuple[int, int]:
    """The shape of the state, float32, of `width` channels."""
    return keys, width


def require_keys(keys: int) -> None:
    """Refuse states of a length that the kernel doesn't have. Raises WgmlError."""
    if not 0 < keys <= _MOST_KEYS:
        raise WgmlError(f"a channel's state of {keys} elements: supported are up to {_MOST_KEYS}")


@dataclass(frozen=True)
class Selected:
    """What is taken in of a token, and how: x, dt [max_count, width]; b, c [max_count, keys]."""

    x: Columns
    dt: Columns
    b: Columns
    c: Columns


@dataclass(frozen=True)
class Channels:
    """What a layer remembers: a state of `keys` elements for each of `width` channels. rates: float32, A [width, keys]
    and D [width] one after the other. state: float32 `scan_state`.

    Raises WgmlError as `require_keys` does.
    """

    width: int
    keys: int
    rates: Buffer
    state: Buffer

    def __post_init__(self) -> None:
        require_keys(self.keys)


def selective_scan(program: Program, step: Buffer, given: Selected, channels: Channels, out: Buffer) -> None:
    """For each channel and token, with d = softplus(dt): h = exp(d A) h + d x b; out = sum(h c) + D x.

    out: float32 [max_count, width]; the state is h before the step, which makes it that at its end.
    """
    width, inputs = channels.width, vars(given)
    program.dispatch(
        "selective_scan",
        {
            "step": step,
            **{n: part.buffer for n, part in inputs.items()},
            "rates": channels.rates,
            "state": channels.state,
            "out": out,
        },
        -(-width // _WORKGROUP_SIZE),
        {"width": width, **{key: n for name, part in inputs.items() for key, n in part.params(name).items()}},
        keys=channels.keys,
        workgroup_size=_WORKGROUP_SIZE,
    )


def selective_scan_numpy(x: Array, dt: Array, b: Array, c: Array, rates: Array, state: Array) -> tuple[Array, Array]:
    """x, dt [T, width], b, c [T, keys], rates and state as for `selective_scan` -> out [T, width], state after."""
    keys, width = state.shape
    rate, skip = rates[: width * keys].reshape(width, keys).T, rates[width * keys :]
    gain = np.logaddexp(0, dt)
    out = np.empty_like(x)
    for t in range(len(x)):
        state = np.exp(gain[t] * rate) * state + gain[t] * x[t] * b[t, :, None]
        out[t] = c[t] @ state + skip * x[t]
    return out, state
