"""Linear attention whose state forgets: Mamba-2 (Dao and Gu, arXiv:2405.21060), which is that with a decay a head, the
gated delta rule (Yang et al., arXiv:2412.06464), and that with a decay a key (Kimi Linear, arXiv:2510.26692)."""

from dataclasses import dataclass
from math import gcd

import numpy as np

from ..errors import WgmlError
from ..gpu import Buffer, Program
from .gated_norm import Gates
from .lib.array import Array
from .lib.view import Columns
from .rms_norm import Norm
from .short_conv import Taps
from .unary import unary_numpy

__all__ = [
    "Chunks",
    "Memory",
    "Mixer",
    "Remembered",
    "attention_chunks",
    "can_gate_heads",
    "linear_attention",
    "linear_attention_numpy",
    "require_memory",
]

_MAX_KEYS = 256  # so many fit the registers of the lanes that share them
# linear_attention_scan.wgsl
_WORKGROUP_SIZE = 128
_SLICES = 8  # lanes that share the keys of a value
# linear_attention_products.wgsl, linear_attention_chunks.wgsl
_CHUNK = 32
_CHUNKS_FROM = 65  # tokens a step from which on they are the faster
_KEY_QUADS = 4
_VALUE_QUADS = ((128, 4), (_MAX_KEYS, 2))  # of a workgroup, for up to so many keys: as many as fit its memory
_TOKENS, _SOFTWARE_TOKENS = 1, 4  # of a lane; a CPU gains nothing by more lanes, but by what they have in registers
MAX_VALUES = 256
"""Values of a head that a workgroup has a lane for, where a single token is taken in."""


@dataclass(frozen=True)
class Memory:
    """What a layer remembers: for each of `heads` heads a matrix [keys, values].

    key_heads: heads of queries and keys, each for as many of the others: for neighbours or, interleaved, for every
    key_heads-th. delta: only what is not remembered yet is written (the delta rule), and queries and keys are
    normalised, with `eps` added to the sum of their squares. channels: each key forgets at a rate of its own. skip:
    values are added to what comes out, each head's times a number. shifted: there are numbers to be added to what a
    token says of rates.
    """

    heads: int
    key_heads: int
    keys: int
    values: int
    delta: bool = False
    eps: float = 0.0
    interleaved: bool = False
    channels: bool = False
    skip: bool = False
    shifted: bool = True

    @property
    def width(self) -> int:
        """Elements of a token's values, and of what comes out."""
        return self.heads * self.values

    @property
    def widths(self) -> tuple[int, int, int]:
        """Elements of a token's queries, keys and values, side by side; without the delta rule, as Mamba-2 has them,
        those of values, keys and queries."""
        keys = self.key_heads * self.keys
        return (keys, keys, self.width) if self.delta else (self.width, keys, keys)

    @property
    def rates(self) -> int:
        """Elements of a token's rates to forget at."""
        return self.heads * (self.keys if self.channels else 1)

    @property
    def constants(self) -> tuple[int, int, int]:
        """Elements of A, of the shift and of D (see `linear_attention`), 0 of what there is not."""
        return self.heads, self.rates * self.shifted, self.heads * self.skip

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of the state, float32."""
        return self.heads, self.keys, self.values

    @property
    def chunk_width(self) -> int:
        """Elements of what is to be known of a chunk: of each head and token a row of one matrix or, with the delta
        rule, of two, and four numbers."""
        return self.heads * _CHUNK * ((1 + self.delta) * _CHUNK + 4)

    @property
    def q_scale(self) -> float:
        """What queries are multiplied by."""
        return float(self.keys**-0.5) if self.delta else 1.0


@dataclass(frozen=True)
class Mixer:
    """The convolution before it (`causal_conv`): its taps, bias and state."""

    taps: Taps
    bias: Buffer | None
    state: Buffer


@dataclass(frozen=True)
class Chunks:
    """Room for what the tokens of each of `count` chunks are to each other: float32 [count, memory.chunk_width]."""

    count: int
    buffer: Buffer


@dataclass(frozen=True)
class Remembered:
    """A layer's memory at work. rates: float32, A [heads], shift [memory.rates] (if shifted), D [heads] (if skip) one
    after the other. state: float32 `memory.shape`. chunks: for tokens to be taken in by chunks, as products of
    matrices; as many as `attention_chunks` says.

    Raises WgmlError as `require_memory` does.
    """

    memory: Memory
    rates: Buffer
    state: Buffer
    chunks: Chunks | None = None

    def __post_init__(self) -> None:
        require_memory(self.memory)


def attention_chunks(memory: Memory, max_count: int) -> int:
    """Chunks that steps of up to max_count tokens are best cut into; 0 where the tokens go one after the other: few, or
    with a decay a key, of which there are no products for all tokens of a chunk at once."""
    return 0 if memory.channels or max_count < _CHUNKS_FROM else -(-max_count // _CHUNK)


def can_gate_heads(memory: Memory, norm: Norm) -> bool:
    """Whether norm and gates can be part of it: they are of a head each."""
    return norm.parts == memory.heads and norm.columns == memory.values <= MAX_VALUES


def require_memory(memory: Memory) -> None:
    """Refuse sizes. Raises WgmlError for those that the kernel doesn't have."""
    if memory.heads % memory.key_heads:
        raise WgmlError(f"{memory.heads} heads of values can't be shared out evenly over {memory.key_heads} of keys")
    if memory.keys % _SLICES or not 0 < memory.keys <= _MAX_KEYS:
        raise WgmlError(f"a state of {memory.keys} keys: supported are multiples of {_SLICES} up to {_MAX_KEYS}")


def linear_attention(
    program: Program,
    step: Buffer,
    x: Columns,
    gates: Columns,
    held: Remembered,
    out: Buffer,
    mixer: Mixer | None = None,
    gated: Gates | None = None,
) -> None:
    """For each head and token: M forgets, takes in the key and value, and is asked with the query.

    w = exp(A softplus(a + shift)); M = w M; u = beta (v - M^T k) with beta = sigmoid(b), or without the delta rule
    softplus(a + shift) v; M = M + k u^T; out = M^T q, plus D v (skip).

    x: [max_count, sum of memory.widths]; gates: a [max_count, memory.rates] and, with the delta rule, b [max_count,
    heads] beside it; out: float32 [max_count, memory.width]; the state is M before the step, which makes it that at its
    end. mixer, gated: what is done to x before, and to what comes out, where norm and gates are of a head each; with a
    mixer the step has a single token, and x and all gates are of one buffer.
    Raises WgmlError where these are not so.
    """
    memory = held.memory
    if mixer is not None:
        _of_a_token(program, step, x, gates, held, out, mixer, gated)
        return
    if gated is not None:
        raise WgmlError("gates are part of a single token's linear attention")
    if held.chunks is not None:
        _of_chunks(program, step, x, gates, held, out, held.chunks)
        return
    q, k, v = _firsts(memory, x.first)
    program.dispatch(
        "linear_attention_scan",
        {"step": step, "x": x.buffer, "gates": gates.buffer, "rates": held.rates, "state": held.state, "out": out},
        (-(-memory.values // (_WORKGROUP_SIZE // _SLICES)), memory.heads, 1),
        {
            "heads": memory.heads,
            "key_heads": memory.key_heads,
            "values": memory.values,
            "q_first": q,
            "k_first": k,
            "v_first": v,
            "x_stride": x.stride,
            "a_first": gates.first,
            "b_first": gates.first + memory.rates,
            "gates_stride": gates.stride,
            "q_scale": memory.q_scale,
            "eps": memory.eps,
        },
        slices=_SLICES,
        workgroup_size=_WORKGROUP_SIZE,
        **_template(memory),
    )


def _template(memory: Memory) -> dict[str, int]:
    """The parameters of wgsl/lib/linear_attention.wgsl."""
    names = {"keys": memory.keys, "delta": memory.delta, "channels": memory.channels, "normalise": memory.delta}
    return names | {"shifted": memory.shifted, "skip": memory.skip, "interleaved": memory.interleaved}


def _firsts(memory: Memory, first: int) -> list[int]:
    """Where queries, keys and values begin."""
    firsts = [first, first + memory.widths[0], first + sum(memory.widths[:2])]
    return firsts if memory.delta else firsts[::-1]


def _of_chunks(
    program: Program, step: Buffer, x: Columns, gates: Columns, held: Remembered, out: Buffer, chunks: Chunks
) -> None:
    memory = held.memory
    if memory.channels:
        raise WgmlError("linear attention with a decay a key does not go by chunks")
    if chunks.buffer.nbytes < 4 * chunks.count * memory.chunk_width:
        raise WgmlError("linear attention has no room for its chunks")
    q, k, v = _firsts(memory, x.first)
    quads = next(quads for keys, quads in _VALUE_QUADS if memory.keys <= keys)
    bindings = {"step": step, "x": x.buffer, "rates": held.rates, "products": chunks.buffer}
    params = {"heads": memory.heads, "key_heads": memory.key_heads, "q_first": q, "k_first": k, "x_stride": x.stride}
    template = {**_template(memory), "chunk": _CHUNK, "key_quads": gcd(memory.keys // 4, _KEY_QUADS)}
    program.dispatch(
        "linear_attention_products",
        [bindings, {"gates": gates.buffer}],
        (chunks.count, memory.heads, 1),
        [
            params,
            {
                "a_first": gates.first,
                "b_first": gates.first + memory.rates,
                "gates_stride": gates.stride,
                "q_scale": memory.q_scale,
                "eps": memory.eps,
            },
        ],
        **template,
    )
    program.dispatch(
        "linear_attention_chunks",
        [bindings, {"state": held.state, "out": out}],
        (-(-memory.values // (4 * quads)), memory.heads, 1),
        [params, {"values": memory.values, "v_first": v}],
        **template,
        value_quads=quads,
        tokens=_SOFTWARE_TOKENS if program.device.info.software else _TOKENS,
    )


def _of_a_token(
    program: Program,
    step: Buffer,
    x: Columns,
    gates: Columns,
    held: Remembered,
    out: Buffer,
    mixer: Mixer,
    gated: Gates | None,
) -> None:
    memory, buffers = held.memory, {gates.buffer} | (set() if gated is None else {gated.gate.buffer})
    if buffers != {x.buffer} or memory.values > MAX_VALUES:
        raise WgmlError("what a single token's linear attention reads must be of one buffer, its heads not too long")
    if gated is not None and not can_gate_heads(memory, gated.norm):
        raise WgmlError("norm and gates are not of a head each")
    q, k, v = _firsts(memory, 0)
    shares = gcd(1 << (MAX_VALUES // memory.values).bit_length() - 1, memory.keys)
    norm = Norm(None, memory.values, 0.0) if gated is None else gated.norm
    program.dispatch(
        "linear_attention_vector",
        {
            "step": step,
            "x": x.buffer,
            "taps": mixer.taps.buffer,
            "bias": mixer.bias,
            "conv_state": mixer.state,
            "rates": held.rates,
            "state": held.state,
            "weight": norm.weight,
            "out": out,
        },
        memory.heads,
        {
            "heads": memory.heads,
            "key_heads": memory.key_heads,
            "values": memory.values,
            "conv_first": x.first,
            "conv_width": mixer.taps.width,
            "q_first": q,
            "k_first": k,
            "v_first": v,
            "a_first": gates.first,
            "b_first": gates.first + memory.rates,
            "gate_first": 0 if gated is None else gated.gate.first,
            "weight_step": norm.params["weight_step"],
            "q_scale": memory.q_scale,
            "eps": memory.eps,
            "norm_eps": norm.eps,
        },
        length=mixer.taps.length,
        bias=mixer.bias is not None,
        norm=gated is not None,
        before=gated is not None and gated.before,
        function="silu" if gated is None else gated.activation,
        shares=shares,
        workgroup_size=MAX_VALUES,
        **_template(memory),
    )


def linear_attention_numpy(x: Array, gates: Array, rates: Array, memory: Memory, state: Array) -> tuple[Array, Array]:
    """x, gates [T, ..], rates and state as for `linear_attention` -> out [T, memory.width], state after."""
    parts = np.split(x, np.cumsum(memory.widths[:2]), axis=1)
    q, k, v = parts if memory.delta else parts[::-1]
    rate, shift, skip = np.split(rates, np.cumsum(memory.constants[:2]))
    shift = shift if memory.shifted else np.zeros(memory.rates, rates.dtype)
    gain = np.logaddexp(0, gates[:, : memory.rates] + shift).reshape(len(x), memory.heads, -1)
    decay = np.exp(gain * rate[:, None])
    beta = unary_numpy(gates[:, memory.rates :], "sigmoid")
    key_head = np.arange(memory.heads)
    key_head = key_head % memory.key_heads if memory.interleaved else key_head // (memory.heads // memory.key_heads)
    q, k = (part.reshape(len(x), memory.key_heads, memory.keys) for part in (q, k))
    if memory.delta:
        q, k = (part / np.sqrt(np.sum(part * part, axis=2, keepdims=True) + memory.eps) for part in (q, k))
    q, k = (q * memory.q_scale)[:, key_head], k[:, key_head]
    v = v.reshape(len(x), memory.heads, memory.values)
    out = np.empty_like(v)
    for t in range(len(x)):
        state = state * decay[t, :, :, None]
        new = gain[t] * v[t]
        if memory.delta:
            new = beta[t, :, None] * (v[t] - np.einsum("hkv,hk->hv", state, k[t]))
        state = state + k[t, :, :, None] * new[:, None]
        out[t] = np.einsum("hkv,hk->hv", state, q[t])
    if memory.skip:
        out = out + skip[:, None] * v
    return out.reshape(len(x), -1), state
