"""The selective scan of Mamba (Gu and Dao, arXiv:2312.00752): a state for each channel, of which each element forgets
at a rate of its own."""

from dataclasses import dataclass

import numpy as np

from ..errors import WgmlError
from ..gpu import Buffer, Program
from .lib.array import Array
from .lib.columns import Columns

__all__ = ["Selection", "selective_scan", "selective_scan_numpy"]

_WORKGROUP_SIZE = 64
_MOST_KEYS = 64  # an invocation holds so many elements, and as many rates


@dataclass(frozen=True)
class Selection:
    """What a scan reads of a step: its channels x and their steps dt, [max_count, width], and what is remembered and
    asked with, b and c, [max_count, keys]."""

    x: Columns
    dt: Columns
    b: Columns
    c: Columns


def scan_state(width: int, keys: int) -> tuple[int, int]:
    """The shape of the state, float32, of `width` channels."""
    return keys, width


def require_keys(keys: int) -> None:
    """Refuse states of a length that the kernel doesn't have. Raises WgmlError."""
    if not 0 < keys <= _MOST_KEYS:
        raise WgmlError(f"a channel's state of {keys} elements: supported are up to {_MOST_KEYS}")


def selective_scan(
    program: Program,
    step: Buffer,
    selection: Selection,
    rates: Buffer,
    sizes: tuple[int, int],
    state: Buffer,
    out: Buffer,
) -> None:
    """For each channel and token, with d = softplus(dt): h = exp(d A) h + d x b; out = sum(h c) + D x.

    sizes: channels and elements of a channel's state, width and keys. rates: float32, A [width, keys] and D [width] one
    after the other; out: float32 [max_count, width]; state: float32 `scan_state`, h before the step, which makes it
    that at its end. Raises WgmlError as `require_keys` does.
    """
    width, keys = sizes
    require_keys(keys)
    inputs: dict[str, Columns] = vars(selection)
    program.dispatch(
        "selective_scan",
        {"step": step, **{n: part.buffer for n, part in inputs.items()}, "rates": rates, "state": state, "out": out},
        -(-width // _WORKGROUP_SIZE),
        {"width": width, **{key: n for name, part in inputs.items() for key, n in part.params(name).items()}},
        keys=keys,
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
