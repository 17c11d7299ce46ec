"""The recurrence of RWKV-7 (Peng et al., arXiv:2503.14456): a delta rule whose state forgets key by key, and takes in
each value in place of what it has for a key of another length."""

from dataclasses import dataclass

import numpy as np

from ..errors import WgmlError
from ..gpu import Buffer, Program
from .lib.array import Array
from .lib.view import Columns
from .unary import unary_numpy

__all__ = ["Received", "Wkv", "WkvHeads", "wkv7", "wkv7_numpy"]

_WORKGROUP_SIZE = 256
_MOST = 128  # keys and values of a head
_MULTIPLE = 8
_EPS = 64e-5  # of the norm of what comes out, in all models
_LEAST_LENGTH = 1e-12  # that keys are divided by


@dataclass(frozen=True)
class WkvHeads:
    """What a layer remembers: for each of `heads` heads a matrix [size keys, size values].

    normed: what comes out is normed head by head. mixed: values are mixed with those of an earlier layer.
    """

    heads: int
    size: int
    normed: bool = True
    mixed: bool = False

    @property
    def width(self) -> int:
        """Elements of all heads."""
        return self.heads * self.size

    @property
    def constants(self) -> int:
        """How many vectors of constants there are (see `wkv7`)."""
        return 5 + 2 * self.normed + self.mixed

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of the state, float32."""
        return self.heads, self.size, self.size


def require_wkv_heads(width: int, size: int) -> None:
    """Refuse heads. Raises WgmlError for sizes that the kernel doesn't have, or that don't share out the width."""
    if size % _MULTIPLE or not 0 < size <= _MOST or width % size:
        raise WgmlError(
            f"heads of {size} elements of {width}: supported are multiples of {_MULTIPLE} up to {_MOST} that divide it"
        )


@dataclass(frozen=True)
class Received:
    """What is taken in of a token: rkv [max_count, 3 width], its receptances, keys and values side by side; decay, rate
    [max_count, width]; where values are mixed, blend [max_count, width], and the values of the earlier layer."""

    rkv: Columns
    decay: Columns
    rate: Columns
    blend: Columns | None = None
    earlier: Columns | None = None


@dataclass(frozen=True)
class Wkv:
    """A layer's memory at work. constants: float32 [heads.constants, width]. state: float32 `heads.shape`.

    Raises WgmlError as `require_wkv_heads` does.
    """

    heads: WkvHeads
    constants: Buffer
    state: Buffer

    def __post_init__(self) -> None:
        require_wkv_heads(self.heads.width, self.heads.size)


def wkv7(program: Program, step: Buffer, given: Received, memory: Wkv, out: Buffer) -> None:
    """For each head and token, with constants w0, a0, k_k, k_a, r_k, ln and ln_b (normed) and v0 (mixed): M forgets,
    takes in the key and value, and is asked with the receptance.

    w = exp(-exp(-1/2) sigmoid(w0 + decay)); a = sigmoid(a0 + rate); c = k k_k, divided by its length; then
    k = k (1 + (a - 1) k_a); mixed: v = v + (earlier - v) sigmoid(v0 + blend). M = w M - (a c) (M^T c)^T + k v^T;
    o = M^T r, normed: LayerNorm of it with ln and ln_b; out = o + sum(r k r_k) v.

    out: float32 [max_count, width]; the state is M before the step, which makes it that at its end.
    Raises WgmlError unless the inputs are those that `memory.heads` speaks of.
    """
    heads = memory.heads
    inputs = {name: part for name, part in vars(given).items() if part is not None}
    if len(inputs) != 3 + 2 * heads.mixed:
        raise WgmlError("values are mixed with those of an earlier layer, or there are none")
    shares = 1 << (_WORKGROUP_SIZE // heads.size).bit_length() - 1
    program.dispatch(
        "wkv7",
        {
            "step": step,
            **{name: part.buffer for name, part in inputs.items()},
            "constants": memory.constants,
            "state": memory.state,
            "out": out,
        },
        heads.heads,
        {
            "width": heads.width,
            "eps": _EPS,
            **{key: n for name, part in inputs.items() for key, n in part.params(name).items()},
        },
        size=heads.size,
        shares=min(shares, _MULTIPLE),
        normed=heads.normed,
        mixed=heads.mixed,
        workgroup_size=_WORKGROUP_SIZE,
    )


def wkv7_numpy(
    rkv: Array,
    decay: Array,
    rate: Array,
    constants: Array,
    heads: WkvHeads,
    state: Array,
    mixed: tuple[Array, Array] | None = None,
) -> tuple[Array, Array]:
    """rkv [T, 3 width], decay, rate and mixed (blend, earlier) [T, width], constants and state as for `wkv7` ->
    out [T, width], state after."""
    w0, a0, k_k, k_a, r_k, *others = constants
    r, k, v = np.split(rkv, 3, axis=1)
    if mixed is not None:
        blend, earlier = mixed
        v = v + (earlier - v) * unary_numpy(others[-1] + blend, "sigmoid")
    w = np.exp(-np.exp(-0.5) * unary_numpy(w0 + decay, "sigmoid"))
    a = unary_numpy(a0 + rate, "sigmoid")
    each = (len(rkv), heads.heads, heads.size)
    c = (k * k_k).reshape(each)
    c = c / np.maximum(np.sqrt(np.sum(c * c, axis=2, keepdims=True)), _LEAST_LENGTH)
    k = k * (1 + (a - 1) * k_a)
    bonus = np.sum((r * k * r_k).reshape(each), axis=2, keepdims=True)
    r, w, k, v, a = (array.reshape(each) for array in (r, w, k, v, a))
    out = np.empty_like(v)
    for t in range(len(rkv)):
        known = np.einsum("hkv,hk->hv", state, c[t])
        state = state * w[t, :, :, None] - (a * c)[t, :, :, None] * known[:, None] + k[t, :, :, None] * v[t, :, None]
        out[t] = np.einsum("hkv,hk->hv", state, r[t])
    if heads.normed:
        centred = out - out.mean(axis=2, keepdims=True)
        out = centred / np.sqrt(np.mean(centred * centred, axis=2, keepdims=True) + _EPS)
        ln, ln_b = (vector.reshape(each[1:]) for vector in others[:2])
        out = out * ln + ln_b
    return (out + bonus * v).reshape(len(rkv), -1), state
