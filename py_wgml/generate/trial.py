"""Whether this GPU computes what it should: each kind of kernel that a model needs, tried on made-up numbers.

Nobody has all devices, and on one that nobody has a driver may compile a kernel that is right elsewhere to a wrong one.
So what a model's steps are made of runs once, on small inputs, beside NumPy. Where it is wrong, the device does without
what it was made of beyond the plain form (`Device.distrust`); where the plain form is wrong, there is an error. None of
it needs weights: it is done while they are on their way.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import WgmlError
from ..facts import TrialFacts
from ..gguf_model.ggml import GGML_QUANT_SIZES, GGMLQuantizationType
from ..gguf_model.weights import Matrix, Stripe
from ..gpu import VARIANTS, Buffer, CompileError, Device, Program
from ..ops import (
    Bits,
    Heads,
    KvCache,
    Norm,
    Partials,
    Products,
    Sampling,
    Scores,
    attention,
    attention_lengths,
    attention_merge,
    attention_numpy,
    attention_splits,
    cache_numpy,
    dequantize_numpy,
    linear,
    linear_numpy,
    rms_norm,
    rms_norm_numpy,
    sample,
    sample_numpy,
    step_uniform,
)
from ..ops.lib.array import Array
from ..ops.lib.tiling import Tiling, tiling
from ..ops.linear import few_template, is_few, vector_template

# Of the norm of what is expected. Rounding in another order makes some 1e-6, halves in the place of floats 5e-4.
BOUND = 1e-4
_ROWS = 67  # of a matrix: more than a tile has, and no whole number of anything
_TILE_COLUMNS = 512
_FEW = 5  # vectors
_LENGTH = 300  # positions that are attended to
_VOCABULARY = 1000
_SEED = 15  # with which the token that is drawn is far ahead of the second
_BLOCKS = 512  # made at random, to take those from that hold numbers of some size
_SIZES = 1 / 16, 16.0
_REASON = 200  # characters
_LARGEST = 1e6  # that an error is told as; it may be no number at all


@dataclass(frozen=True)
class Kinds:
    """What a model's steps are made of, as far as kernels differ by it.

    matrices: that it multiplies by. columns: of its rows. heads, bits: of its attention, of which tokens see what comes
    after them unless it is `causal`. counts: tokens that its steps have room for. context: positions. x_bytes: as
    of `Products`.
    """

    matrices: tuple[Matrix, ...]
    columns: int
    heads: tuple[Heads, ...]
    bits: Bits
    counts: tuple[int, ...]
    context: int
    causal: bool
    x_bytes: int


@dataclass(frozen=True)
class Result:
    """Where a kernel leaves what it makes, and what NumPy makes of the same."""

    out: Buffer
    expected: Callable[[], Array]
    dtype: npt.DTypeLike = np.float32


Case = Callable[["_Maker", Program], Result]


class _Maker:
    """Makes inputs, and gives their memory back."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self._random = Random(7)  # NumPy's own is large, and nobody else in the page needs it
        self.buffers: list[Buffer] = []

    def whole(self, below: int, *shape: int) -> Array:
        """Whole numbers from 0 on."""
        numbers = np.frombuffer(self._random.randbytes(4 * int(np.prod(shape))), np.uint32)
        return (numbers % np.uint32(below)).reshape(shape)

    def uniform(self, *shape: int) -> Array:
        """float32 from -1 to 1."""
        return self.whole(1 << 24, *shape).astype(np.float32) / (1 << 23) - 1

    def bytes(self, *shape: int) -> Array:
        """float32, whole numbers from -127 to 127."""
        return self.whole(255, *shape).astype(np.float32) - 127

    def up(self, array: Any) -> Buffer:
        self.buffers.append(self.device.upload(np.ascontiguousarray(array), "trial"))
        return self.buffers[-1]

    def buffer(self, nbytes: int) -> Buffer:
        self.buffers.append(self.device.buffer(nbytes, "trial"))
        return self.buffers[-1]

    def step(self, position: int, count: int) -> Buffer:
        return self.up(np.frombuffer(step_uniform(position, count), np.uint32))

    def matrix(self, type: GGMLQuantizationType, columns: int) -> tuple[Matrix, Array]:
        """[_ROWS, columns] of a type, and what it dequantizes to. Any bytes are a block of it, but its numbers may be
        tiny, huge or none: blocks whose largest is of a common size are taken."""
        elements, nbytes = GGML_QUANT_SIZES[type]
        blocks = self.whole(256, _BLOCKS, nbytes).astype(np.uint8)
        with np.errstate(all="ignore"):
            numbers = dequantize_numpy(blocks, type).reshape(_BLOCKS, elements)
            largest = np.abs(numbers).max(axis=1)
        fit = np.flatnonzero((largest >= _SIZES[0]) & (largest <= _SIZES[1]))  # no number is neither
        chosen = fit[self.whole(len(fit), _ROWS, columns // elements)]
        stripe = Stripe(self.up(blocks[chosen]), type, 0, _ROWS)
        return Matrix((stripe,), columns), numbers[chosen].reshape(_ROWS, columns)

    def destroy(self) -> None:
        for buffer in self.buffers:
            buffer.destroy()


async def examine(device: Device, kinds: Kinds) -> bool:
    """Try what `kinds` needs and `device.tried` lacks. Returns whether something is newly distrusted: what was recorded
    is then to be recorded again.

    Raises WgmlError, which names the kernel and the GPU, where the plain form does not compile or computes wrongly.
    """
    found = False
    while True:
        try:
            errors, variants = await _try(device, kinds)
        except CompileError as error:
            made_of = error.pipeline.variants if error.pipeline else frozenset()
            blamed = {name for name in made_of if device.uses(name)}
            if not blamed:
                raise
            reasons = dict.fromkeys(blamed, f"{error.pipeline.name if error.pipeline else ''} does not compile")
        else:
            wrong = {name: error for name, error in errors.items() if not error <= BOUND}
            if wrong and device.tried:
                device.tried.clear()  # what is right tells, too, what is not to blame
                continue
            reasons = _blamed(device, wrong, variants)
            if not reasons:
                device.tried |= errors
                return found
        for name, reason in reasons.items():
            device.distrust(name, reason)
        device.tried.clear()
        found = True


def _blamed(device: Device, wrong: Mapping[str, float], variants: Mapping[str, frozenset[str]]) -> dict[str, str]:
    """Which variants are to blame for what is wrong, each with a reason. Raises WgmlError where none can be."""
    innocent = frozenset[str]().union(*(made_of for name, made_of in variants.items() if name not in wrong))
    blamed: dict[str, str] = {}
    for name, error in wrong.items():
        reason = f"{name} is wrong by {error:.2g}"
        if not variants[name]:
            raise WgmlError(f"this GPU ({device.info.name or 'without a name'}) computes wrongly: {reason}")
        blamed |= dict.fromkeys(variants[name] - innocent or variants[name], reason)
    return blamed


async def _try(device: Device, kinds: Kinds) -> tuple[dict[str, float], dict[str, frozenset[str]]]:
    """The error of each case that was not tried yet, and which variants its kernels are made of."""
    maker, results = _Maker(device), dict[str, Result]()
    variants: dict[str, frozenset[str]] = {}
    program = device.program("trial")
    try:
        for name, case in cases(device, kinds).items():
            if name not in device.tried:
                before = len(program.dispatches)
                results[name] = case(maker, program)
                made_of = (pipeline.variants for pipeline, *_ in program.dispatches[before:])
                variants[name] = frozenset(used for names in made_of for used in names if device.uses(used))
        if not results:
            return {}, {}
        gathered = maker.buffer(sum(result.out.nbytes for result in results.values()))
        await device.compiled()
        program.run()
        offset = 0
        for result in results.values():
            device.copy(result.out, gathered, result.out.nbytes, offset)
            offset += result.out.nbytes
        data = await device.read(gathered)  # all at once: waiting takes longer than computing
    finally:
        maker.destroy()
    errors: dict[str, float] = {}
    offset = 0
    for name, result in results.items():
        expected = result.expected()
        got = np.frombuffer(data, result.dtype, expected.size, offset)
        errors[name] = error_of(got, expected.ravel())
        offset += result.out.nbytes
    return errors, variants


def error_of(got: Array, expected: Array) -> float:
    """|got - expected| / |expected|, both [n] and with Euclidean norms; no more than 1e6, whatever was got."""
    with np.errstate(all="ignore"):
        error = float(np.linalg.norm(got.astype(np.float64) - expected) / np.linalg.norm(expected))
    return min(error, _LARGEST) if np.isfinite(error) else _LARGEST


def cases(device: Device, kinds: Kinds) -> dict[str, Case]:
    """What is tried of `kinds` on `device`, by what it is called."""
    found: dict[str, Case] = {"norm": partial(_norm, columns=kinds.columns)}
    stripes = [(matrix.columns, stripe) for matrix in kinds.matrices for stripe in matrix]
    for columns, stripe in stripes if 1 in kinds.counts else ():
        for x_bytes in dict.fromkeys((0, kinds.x_bytes)):
            _, form = vector_template(device, stripe, stripe.rows, columns, x_bytes=x_bytes)
            if form["x_bytes"] == x_bytes:
                sizes = {"columns": columns, "lane_rows": form["lane_rows"], "x_bytes": x_bytes}
                name = f"{stripe.type.name} x vector, {form['lane_rows']} rows by {form['lanes']} lanes"
                name += f", in {x_bytes} bytes" if x_bytes else ""
                found.setdefault(name, partial(_vectors, type=stripe.type, **sizes))
    for columns, stripe in stripes if max(kinds.counts) > 1 else ():
        if is_few(device, Matrix((stripe,), columns), _FEW):
            _, form = few_template(device, stripe, columns, _FEW, Products(kinds.x_bytes))
            sizes = {"columns": columns, "lane_rows": form["lane_rows"], "x_bytes": form["rounded"]}
            name = f"{stripe.type.name} x few vectors, {form['lane_rows']} rows by {form['lanes']} lanes"
            found.setdefault(name, partial(_vectors, type=stripe.type, count=_FEW, **sizes))
    types, forms = set[GGMLQuantizationType](), set[Tiling]()
    for columns, stripe in stripes:
        for count in kinds.counts:
            tiles = tiling(device, stripe.rows, count, columns)
            tiles = replace(tiles, splits=min(tiles.splits, 2))
            few = count == 1 or is_few(device, Matrix((stripe,), columns), count)
            if few or (stripe.type in types and tiles in forms):
                continue
            types.add(stripe.type)
            forms.add(tiles)
            name = f"{stripe.type.name} x tokens, {tiles}"
            found[name] = partial(_tiles, type=stripe.type, columns=columns, tiles=tiles)
    for heads in kinds.heads:
        shape = f"{heads.heads // heads.kv_heads} heads of {heads.head_dim}, {kinds.bits} bits"
        count = 40 if max(kinds.counts) > 16 else 5
        found[f"attention of {count} tokens, {shape}"] = partial(_attention, heads=heads, kinds=kinds, count=count)
        lengths = attention_lengths(kinds.context) if 1 in kinds.counts else []
        for splits in {attention_splits(device, 1, length): None for length in lengths}:
            name = f"attention of a token, by {splits}, {shape}"
            found[name] = partial(_attention, heads=heads, kinds=kinds, count=1, splits=splits)
    if 1 in kinds.counts:
        found["sampler"] = _sampler
    return found


def _norm(make: _Maker, program: Program, columns: int) -> Result:
    x, weight = make.uniform(3, columns), make.uniform(columns)
    out = make.buffer(x.nbytes)
    rms_norm(program, make.step(0, 3), make.up(x), Norm(make.up(weight), columns, 1e-5), out, 3)
    return Result(out, lambda: rms_norm_numpy(x, weight, 1e-5))


def _vectors(
    make: _Maker,
    program: Program,
    type: GGMLQuantizationType,
    columns: int,
    lane_rows: int,
    x_bytes: int,
    count: int = 1,
) -> Result:
    weights, dequantized = make.matrix(type, columns)
    # Whole numbers, of which bytes lose nothing: the largest magnitude is in each group that is rounded together.
    x = make.bytes(count, columns)
    x[:, ::4] = 127
    out = make.buffer(4 * count * _ROWS)
    products = Products(x_bytes, lane_rows=lane_rows)
    linear(program, make.step(0, count), make.up(x), weights, out, count, products=products)
    return Result(out, lambda: linear_numpy(x, dequantized))


def _tiles(make: _Maker, program: Program, type: GGMLQuantizationType, columns: int, tiles: Tiling) -> Result:
    columns = columns if columns <= _TILE_COLUMNS else _TILE_COLUMNS + columns % 8
    weights, dequantized = make.matrix(type, columns)
    count = tiles.tokens + 5
    x, out = make.uniform(count, columns), make.buffer(4 * count * _ROWS)
    parts = make.buffer(4 * tiles.splits * count * _ROWS) if tiles.splits > 1 else None
    products = Products(parts=parts, tiles=tiles)
    linear(program, make.step(0, count), make.up(x), weights, out, count, products=products)
    return Result(out, lambda: linear_numpy(x, dequantized))


def _attention(make: _Maker, program: Program, heads: Heads, kinds: Kinds, count: int, splits: int = 1) -> Result:
    few = replace(heads, heads=2 * heads.heads // heads.kv_heads, kv_heads=2)
    length = _LENGTH if kinds.causal else count
    position = length - count
    kept = [make.bytes(length, 2, heads.head_dim) / 127 for _ in "kv"]
    for array in kept:
        array[..., ::32] = 1  # the largest of each block of bytes, which lose nothing then
    if kinds.bits == 16:
        kept = [array.astype(np.float16) for array in kept]
    keys, values = (array.astype(np.float32) for array in kept)
    packed = [make.up(cache_numpy(array, kinds.bits)) for array in ((keys,) if heads.latent else (keys, values))]
    cache = KvCache(packed[0], None if heads.latent else packed[1], few, kinds.bits)
    q, step = make.uniform(count, few.heads, few.head_dim), make.step(position, count)
    scores: Scores[Any] = Scores(heads.head_dim**-0.5, causal=kinds.causal)
    out = make.buffer(4 * count * few.out_width)
    partials = Partials(few, splits)
    target = out if splits == 1 else make.buffer(partials.nbytes(count))
    attention(program, step, make.up(q), cache, target, scores, count, splits)
    if splits > 1:
        attention_merge(program, step, target, partials, out, count)
    values = keys[..., : heads.latent] if heads.latent else values
    return Result(out, lambda: attention_numpy(q, keys, values, position, scores))


def _sampler(make: _Maker, program: Program) -> Result:
    sampling = Sampling(temperature=0.8, top_k=40, seed=_SEED)
    logits, tokens = 8 * make.uniform(_VOCABULARY), np.zeros(8, np.uint32)
    out = make.up(tokens)
    sample(program, make.step(6, 1), make.up(sampling.uniform()), make.up(logits), out, _VOCABULARY)

    def expected() -> Array:
        return np.append(tokens[:7], sample_numpy(logits, tokens[:7], sampling)).astype(np.float32)

    return Result(out, expected, np.uint32)


def outcome(device: Device, version: str) -> TrialFacts:
    """What was found out about `device`, for `recall` to take up again. version: of the engine."""
    return {
        "device": device.info.name,
        "version": version,
        "distrusted": dict(device.distrusted),
        "tried": dict(device.tried),
        "timed": dict(device.timed),
    }


def recall(device: Device, version: str, told: Any) -> None:
    """Take up what `outcome` told earlier, if that was of the same device and the same engine; nothing else counts."""
    if not isinstance(told, Mapping) or (told.get("device"), told.get("version")) != (device.info.name, version):
        return
    distrusted, tried, timed = told.get("distrusted"), told.get("tried"), told.get("timed")
    if not (isinstance(distrusted, Mapping) and isinstance(tried, Mapping) and isinstance(timed, Mapping)):
        return
    for name in VARIANTS:
        if name in distrusted:
            device.distrust(name, str(distrusted[name])[:_REASON])
    right = {name: error for name, error in tried.items() if isinstance(error, float | int) and error <= BOUND}
    device.tried |= {str(name): float(error) for name, error in right.items()}
    device.timed |= {str(name): float(time) for name, time in timed.items() if isinstance(time, float | int)}
