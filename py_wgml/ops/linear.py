"""Products with a weight matrix in its quantized form: a vector form for one token, a tiled one for many."""

from dataclasses import dataclass, replace
from typing import Any

from ..errors import WgmlError
from ..gguf_model.weights import BYTE_TYPES, Matrix, Stripe, row_bytes
from ..gpu import INTEGER_PRODUCTS, MAX_STORAGE_BINDINGS, Buffer, Device, Program
from .attention import Partials
from .gated import Activation
from .lib.array import Array
from .lib.tiling import Tiling, tiling
from .lib.view import Columns
from .rms_norm import Norm
from .rope_append import Append
from .unary import Function

__all__ = [
    "Fusion",
    "Products",
    "Sum",
    "can_append",
    "can_gate",
    "can_merge",
    "can_sum",
    "linear",
    "linear_numpy",
    "parts_bytes",
]

_FEW_TOKENS = 16
_PART_TOKENS = 8  # of them that a workgroup makes
_SPAN_QUADS = 8  # of octets that share their scales, at most
_MANY_ROWS = 4096  # of which there is work enough for all invocations if each has two
_MERGED_BYTES = 4 << 20  # of partials that all workgroups of a product read together in less than a dispatch
_SUMMED_BYTES = 64 << 20  # of what all workgroups of a product read more to make a sum each for itself, likewise
_SUM_COLUMNS = 3072  # for which there is workgroup memory
_SUM_WORKGROUP_SIZE = 64


@dataclass(frozen=True)
class Sum:
    """What becomes of x before a product: it is scaled by `norm`, with `onto`, float32 [columns], to which it is added;
    that is multiplied, and goes to `out`, as `onto`, too."""

    norm: Norm
    onto: Buffer
    out: Buffer


@dataclass(frozen=True)
class Fusion:
    """What a product takes in of what comes before and after it; bias not with activation, accumulate not with append,
    and neither of them with function.

    bias: float32 [rows]. scale: float32 [rows], what products are multiplied by before. accumulate: the result is
    added to what `out` holds. Of a single vector alone: sum, see `Sum` (`can_sum` says whether that is well done here);
    norm, x is first normalised as by `rms_norm`; partials, x is what `attention` leaves (`can_merge` likewise);
    activation, the result is then gated as by `gated` (out: float32 [rows / 2]; `can_gate` says which weights allow it;
    values: of these, out as long as they); append, the results are queries, keys and values, and go where `rope_append`
    puts them (out: the queries; `can_append` says whether it can be); function, what becomes of each result (see
    `unary`, whose parameters are 0).
    """

    bias: Buffer | None = None
    scale: Buffer | None = None
    accumulate: bool = False
    sum: Sum | None = None
    norm: Norm | None = None
    partials: Partials | None = None
    activation: Activation | None = None
    values: Columns | None = None
    append: Append | None = None
    function: Function | None = None


_ALONE = Fusion()


@dataclass(frozen=True)
class Products:
    """What products may do. x_bytes: those of up to 16 vectors may round them to whole numbers of 1 or 2 bytes (0: they
    may not), a few dozen elements by their largest magnitude; that of a single one then multiplies bytes, where the
    device and the type can. parts: memory for what shares of the columns make, `parts_bytes` of it (None: the columns
    of many tokens are not shared out). lane_rows, tiles: the form of those of few vectors, and of those of many (None:
    as suits their sizes)."""

    x_bytes: int = 0
    parts: Buffer | None = None
    lane_rows: int | None = None
    tiles: Tiling | None = None


_PLAIN = Products()


def can_gate(weights: Matrix) -> bool:
    """Whether gates and values are the two halves of one buffer, as a product with an activation needs them."""
    return len(weights.stripes) == 1 and weights.rows % 2 == 0


def can_append(weights: Matrix, append: Append, fusion: Fusion) -> bool:
    """Whether a product with queries, keys and values can append them itself: its stripes hold whole heads, elements go
    to the cache without others, and there are bindings enough beside those of its bias, its scale and its norm."""
    head_dim, rows = append.cache.heads.head_dim, _lane_rows(append)
    whole = all(stripe.first % head_dim == 0 == stripe.rows % head_dim for stripe in weights)
    fits = _bindings(weights, fusion) + len(append.bindings) <= MAX_STORAGE_BINDINGS
    return whole and append.cache.bits > 8 and head_dim % rows == 0 and fits


def _bindings(weights: Matrix, fusion: Fusion) -> int:
    """How many buffers a product binds, without those that it appends to and those of its sum."""
    optional = sum(part is not None for part in (fusion.bias, fusion.scale, fusion.norm, fusion.values))
    return len(("weights", "x", "out")) + optional + max(len(stripe.tables) for stripe in weights)


def _lane_rows(append: Append) -> int:
    """Rows of an invocation that appends: two neighbours, and their partners where these are others."""
    return 4 if append.pairing == "neox" else 2


def can_merge(device: Device, weights: Matrix, partials: Partials) -> bool:
    """Whether a product can put attention's partials together, and in less time than a dispatch of its own: each of its
    workgroups reads them all."""
    columns = weights.columns
    fits = columns <= min(_stage_columns(stripe) for stripe in weights)
    lengths_fit = columns % 8 == 0 and partials.heads.value_dim % 4 == 0 and partials.splits % 2 == 0
    workgroups = sum(vector_template(device, stripe, stripe.rows, columns)[0] for stripe in weights)
    return fits and lengths_fit and 4 * columns * partials.splits * workgroups <= _MERGED_BYTES


def can_sum(device: Device, weights: Matrix, norm: Norm, fusion: Fusion, apart: bool = False) -> bool:
    """Whether a product can make a norm's sum itself, and in less time than a dispatch of its own: each of its
    workgroups reads all of it. apart: there are also values that `fusion` does not know yet."""
    columns, whole = weights.columns, replace(norm, factor=1.0, times=None).is_plain
    fits = all(columns <= (_stage_columns(stripe) if stripe.tables else _SUM_COLUMNS) for stripe in weights)
    alone = not (fusion.partials or fusion.append or fusion.accumulate)
    workgroups = sum(vector_template(device, stripe, stripe.rows, columns)[0] for stripe in weights)
    bindings = _bindings(weights, fusion) + len(("onto", "sum_weight", "summed")) + (norm.times is not None) + apart
    little = 2 * 4 * columns * workgroups <= _SUMMED_BYTES and bindings <= MAX_STORAGE_BINDINGS
    return whole and columns % 8 == 0 and fits and alone and little


def linear(
    program: Program,
    step: Buffer,
    x: Buffer,
    weights: Matrix,
    out: Buffer,
    max_count: int,
    fusion: Fusion = _ALONE,
    products: Products = _PLAIN,
) -> None:
    """out[t, n] = sum_k weights[n, k] x[t, k], with what `fusion` adds to it.

    x: float32 [max_count, columns]; weights: [rows, columns] of any supported type; out: float32 [max_count, rows].
    With max_count 1 the step buffer is looked at for append alone.
    Raises WgmlError when columns is no whole number of blocks of the type, or partials do not go together.
    """
    columns = weights.columns
    _require_fusion(program.device, weights, max_count, fusion)
    norm, append, partials, first = fusion.norm, fusion.append, fusion.partials, fusion.sum
    ends = {"row_scale": fusion.scale is not None, "bias": fusion.bias is not None, "accumulate": fusion.accumulate}
    for stripe in weights:
        paired = fusion.activation is not None and fusion.values is None
        rows = stripe.rows // 2 if paired else stripe.rows
        bindings = {"weights": stripe.buffer, "x": x, "row_scale": fusion.scale, "bias": fusion.bias}
        params = {
            "columns": columns,
            "row_bytes": row_bytes(stripe.type, columns),
            "rows": rows,
            "first": stripe.first,
        }
        if products.tiles is None and is_few(program.device, weights, max_count):
            workgroups, sizes = few_template(program.device, stripe, columns, max_count, products)
            program.dispatch(
                "linear_few",
                [bindings, {"step": step, "out": out}, stripe.tables],
                workgroups,
                [params, {"width": weights.rows}],
                **sizes,
                **ends,
            )
            continue
        if max_count > 1:
            shared = columns if products.parts else 0
            tiles = products.tiles or tiling(program.device, stripe.rows, max_count, shared)
            whole = tiles.splits == 1
            target = {"step": step, "out": out if whole else products.parts}
            program.dispatch(
                "linear_tile",
                [bindings if whole else {"weights": stripe.buffer, "x": x}, target, stripe.tables],
                (*tiles.workgroups(stripe.rows, max_count), tiles.splits),
                [params, {"width": weights.rows}],
                **stripe.template(columns),
                **(ends if whole else dict.fromkeys(ends, False)),
                **tiles.template,
                experts=False,
            )
            if not whole:
                program.dispatch(
                    "linear_sum",
                    {"step": step, "parts": products.parts, "out": out, "row_scale": fusion.scale, "bias": fusion.bias},
                    (-(-stripe.rows // _SUM_WORKGROUP_SIZE), max_count, 1),
                    {"rows": stripe.rows, "first": stripe.first, "width": weights.rows},
                    **ends,
                    splits=tiles.splits,
                    workgroup_size=_SUM_WORKGROUP_SIZE,
                )
            continue
        lane_rows = _lane_rows(append) if append else 1 if paired else products.lane_rows
        workgroups, sizes = vector_template(
            program.device, stripe, rows, columns, lane_rows, products.x_bytes, first is not None
        )
        program.dispatch(
            "linear_vector",
            [
                bindings,
                {"norm_weight": norm.weight} if norm else {},
                {"onto": first.onto, "sum_weight": first.norm.weight, "times": first.norm.times} if first else {},
                {"summed": first.out} if first else {},
                {"values": fusion.values.buffer} if fusion.values else {},
                {"step": step, "q": out} if append else {"out": out},
                append.bindings if append else {},
                stripe.tables,
            ],
            workgroups,
            [
                params,
                {"eps": norm.eps} if norm else {},
                {"sum_eps": first.norm.eps, "sum_factor": first.norm.factor} if first else {},
                {"values_first": fusion.values.first} if fusion.values else {},
                append.cache.params if append else {},
            ],
            **sizes,
            **(append.template if append else {"pairing": False}),
            **({"head_dim": partials.heads.value_dim} if partials else {}),
            **ends,
            splits=partials.splits if partials else 0,
            sum=first is not None,
            times=first is not None and first.norm.times is not None,
            norm=norm is not None,
            apart=fusion.values is not None,
            function=fusion.activation or False,
            activated=fusion.function or False,
            experts=False,
        )


def parts_bytes(device: Device, weights: Matrix, max_count: int) -> int:
    """Bytes of `Products.parts` for a product of so many tokens; 0: it needs none."""
    sizes = [0]
    tiled = max_count > 1 and not is_few(device, weights, max_count)
    for stripe in weights if tiled else ():
        splits = tiling(device, stripe.rows, max_count, weights.columns).splits
        sizes.append(4 * splits * max_count * stripe.rows if splits > 1 else 0)
    return max(sizes)


def is_few(device: Device, weights: Matrix, max_count: int) -> bool:
    """Whether linear_few.wgsl makes a product of so many vectors: not on a software adapter, for it saves reads."""
    return 1 < max_count <= _FEW_TOKENS and weights.columns % 8 == 0 and not device.info.software


def _has_bytes(device: Device, stripe: Stripe) -> bool:
    """Whether products of bytes can be made with a stripe."""
    return stripe.type in BYTE_TYPES and device.uses(INTEGER_PRODUCTS)


def few_template(
    device: Device, stripe: Stripe, columns: int, max_count: int, products: Products = _PLAIN
) -> tuple[int, dict[str, Any]]:
    """How many workgroups of linear_few.wgsl make a stripe's rows; its parameters for that. Measured on an H100."""
    workgroup_size, lanes = 128, 16 if columns >= 512 else 8
    suited = 4 if stripe.rows >= 2 * _MANY_ROWS else 2 if stripe.rows >= _MANY_ROWS // 2 else 1
    lane_rows = products.lane_rows or suited
    parts = -(-max_count // _PART_TOKENS)
    sizes = {"tokens": _PART_TOKENS, "parts": parts, "lanes": lanes, "lane_rows": lane_rows}
    rows = workgroup_size // lanes * lane_rows
    return -(-stripe.rows // rows) * parts, {
        "type": stripe.type.name.lower(),
        "shared_tables": False,
        "rounded": products.x_bytes if _has_bytes(device, stripe) else 0,
        **sizes,
        "workgroup_size": workgroup_size,
        "subgroups": device.uses("subgroups") and device.info.subgroup_min_size >= _SPAN_QUADS,
    }


def _require_fusion(device: Device, weights: Matrix, max_count: int, fusion: Fusion) -> None:
    """Refuse fusions. Raises WgmlError when a product of so many vectors can't take in what it is to."""
    norm, append, partials, activation = fusion.norm, fusion.append, fusion.partials, fusion.activation
    if (norm or activation or append or partials or fusion.sum or fusion.function) and max_count > 1:
        raise WgmlError("only the product with a single vector takes in what comes before and after it")
    if (
        (norm and (norm.columns != weights.columns or norm.columns % 8))
        or (activation and (fusion.bias is not None or not (fusion.values or can_gate(weights))))
        or (fusion.sum and not can_sum(device, weights, fusion.sum.norm, fusion))
        or (append and (fusion.accumulate or activation or not can_append(weights, append, fusion)))
        or (partials and (norm or append or not can_merge(device, weights, partials)))
        or (fusion.function and (fusion.accumulate or activation or append))
    ):
        raise WgmlError("this product can't take its norm, its activation or what follows it in")


def vector_template(
    device: Device,
    stripe: Stripe,
    rows: int,
    columns: int,
    lane_rows: int | None = None,
    x_bytes: int = 0,
    whole: bool = False,
) -> tuple[int, dict[str, Any]]:
    """How many workgroups of linear_vector.wgsl make `rows` rows with weights like `stripe`; its parameters for that.

    lane_rows: that a group of lanes makes; None: as many as suit. x_bytes: as of `linear`. whole: a stage has all
    columns.
    """
    x_bytes = x_bytes if _has_bytes(device, stripe) else 0
    if device.info.software:  # has no latency to hide, and loses by each idle lane
        workgroup_size, lanes, lane_rows = 64, 2, lane_rows or 2
    else:
        # Rounding is what the rows of a workgroup share.
        workgroup_size, lanes = 256 if x_bytes else 128, 32 if columns >= 512 else 8 if columns >= 256 else 4
        lane_rows = lane_rows or (2 if rows >= _MANY_ROWS else 1)
        if x_bytes and rows >= 2 * _MANY_ROWS and columns <= _MANY_ROWS:
            lanes = min(lanes, 16)
    template = stripe.template(columns) | {
        "shared_tables": True,
        "x_bytes": x_bytes,
        "columns": columns,
        "lanes": lanes,
        "lane_rows": lane_rows,
        "quads": -(-(columns if whole else min(columns, _stage_columns(stripe))) // (4 * workgroup_size)),
        "workgroup_size": workgroup_size,
        # A subgroup adds in registers what its lanes hold, if a row's lanes never straddle two.
        "subgroups": device.uses("subgroups") and lanes <= device.info.subgroup_min_size,
    }
    return -(-rows * lanes // (workgroup_size * lane_rows)), template


def _stage_columns(stripe: Stripe) -> int:
    """The most columns of x that linear_vector.wgsl has room for at once in workgroup memory, beside a codebook."""
    return 1024 if stripe.tables else 2048


def linear_numpy(x: Array, weights: Array, bias: Array | None = None, scale: Array | None = None) -> Array:
    """x [T, columns], weights [rows, columns] dequantized, bias [rows], scale [rows] or [1] -> [T, rows]."""
    product: Array = x @ weights.T
    product = product if scale is None else product * scale
    return product if bias is None else product + bias
