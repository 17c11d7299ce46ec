"""What recipes of several operations are built of."""

from typing import Any, TypeVarTuple, cast

import numpy as np
from ops.harness import Bench

from py_wgml.errors import WgmlError
from py_wgml.gguf_model.weights import TYPES, Matrix, Stripe
from py_wgml.gpu import Buffer
from py_wgml.ops import Bits, View, attention_merge_numpy

ALL = ("normal", "zeros", "denormal", "large")
NOT_DENORMAL = ("normal", "zeros", "large")
SMALL = ALL[:3]  # for what is kept in half precision, which ends at 65504
LAYOUTS = ("plain", "swapped", "every other")
TYPE_OF = {type.name: type for type in TYPES}
Arrays = TypeVarTuple("Arrays")
FILL = 2**-7  # what a cache holds beforehand: small, so that the norm of the error is that of what is written


def past(expected: Any, rows: int) -> Any:
    """`expected` with rows of NaN below it, `rows` in all."""
    missing = (rows - len(expected), *expected.shape[1:])
    return np.concatenate([expected, np.full(missing, np.nan)])


def exact(*arrays: *Arrays) -> tuple[*Arrays]:
    """The arrays in float64, as many as they are; None stays None."""
    given: tuple[Any, ...] = arrays
    found = tuple(None if array is None else array.astype(np.float64) for array in given)
    return cast("tuple[*Arrays]", found)


def matrix(b: Bench, kind: str, shape: tuple[int, int], cuts: tuple[int, ...] = ()) -> tuple[Matrix, Any]:
    """A quantized matrix, cut into stripes before the rows `cuts`, and what it dequantizes to. A tall one that is not
    cut is a short one repeated: quantizing takes long."""
    rows, columns = shape
    made = rows if cuts else min(rows, 128)
    short, dequantized = b.matrix(b.random.standard_normal((made, columns), np.float32), TYPE_OF[kind], cuts)
    if made == rows:
        return short, dequantized
    (part,) = short
    bytes_of = b.array(part.buffer, part.buffer.nbytes, dtype=np.uint8)
    if rows % 128:
        raise WgmlError("a tall matrix has a multiple of 128 rows")
    tall = Stripe(b.up(np.tile(bytes_of, rows // 128)), part.type, 0, rows)
    return Matrix((tall,), columns), np.tile(dequantized, (rows // 128, 1))


def unpacked(cache: Any, bits: Bits) -> Any:
    """The numbers that a cache holds: with 8 bits, those of its blocks of a float32 and 32 multiples of its 127th."""
    if bits > 8:
        return cache.astype(np.float32)
    blocks = cache.reshape(*cache.shape[:-1], -1, 9)
    scale, steps = blocks[..., :1].view(np.float32), blocks[..., 1:].copy().view(np.int8)
    return (scale.astype(np.float64) * steps / 127).reshape(*cache.shape[:-1], -1)


def attention_partials(b: Bench, count: int, splits: int, heads: int, head_dim: int) -> tuple[Buffer, Any]:
    """What attention leaves, partials of which some saw no position; and what they make together."""
    values, highest = b.normal(count, splits, heads, head_dim), b.normal(count, heads, splits)
    totals = b.random.uniform(1, 9, (count, heads, splits)).astype(np.float32)
    values[:, 1], highest[..., 1], totals[..., 1] = 0, np.finfo(np.float32).min, 0
    states = np.stack([highest, totals], axis=-1)
    merged = attention_merge_numpy(*exact(values, states))
    return b.up(np.concatenate([values.ravel(), states.ravel()])), merged


def strided(b: Bench, shape: tuple[int, ...], layout: str) -> tuple[View, Any]:
    """An input view, and what it holds.

    layout: "plain", "swapped" (last two dimensions), "every other" (element of a longer row, with NaN between).
    """
    if layout == "swapped":
        view, array = strided(b, (*shape[:-2], shape[-1], shape[-2]), "plain")
        return view.T, np.swapaxes(array, -1, -2)
    if layout == "every other":
        array = b.normal(*shape[:-1], 2 * shape[-1] + 1)
        array[..., ::2] = np.nan
        return View.of(b.up(array), *array.shape)[..., 1::2], array[..., 1::2]
    array = b.normal(*shape)
    return View.of(b.up(array), *shape), array


def strided_output(b: Bench, expected: Any, layout: str) -> tuple[View, dict[Buffer, Any]]:
    """An output view of poison, and what its buffer must hold when the view holds `expected`."""
    if layout == "swapped":
        view, held = strided_output(b, np.swapaxes(expected, -1, -2), "plain")
        return view.T, held
    shape = expected.shape
    if layout == "every other":
        out = b.poison(*shape[:-1], 2 * shape[-1] + 1)
        whole = np.full((*shape[:-1], 2 * shape[-1] + 1), np.nan)
        whole[..., 1::2] = expected
        return View.of(out, *whole.shape)[..., 1::2], {out: whole}
    out = b.poison(*shape)
    return View.of(out, *shape), {out: expected}
