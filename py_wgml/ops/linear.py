"""Products with a weight matrix in its quantized form: a vector form for one token, a tiled one for many."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import WgmlError
from ..gguf_model.weights import BYTE_TYPES, Matrix, Part, row_bytes
from ..gpu import INTEGER_PRODUCTS, MAX_STORAGE_BINDINGS, Bound, Buffer, Device, Program
from ..names import joined
from .array import Array
from .attention import Parts
from .gated import Activation
from .rope_append import Append

_MANY_ROWS = 4096  # of which there is work enough for all invocations if each has two
_MERGED_BYTES = 4 << 20  # of attention's parts that all workgroups of a product read together in less than a dispatch
_APPEND_BINDINGS = 6  # storage buffers: weights, x, rotations, queries, keys, values
TILE_ROWS = 64  # weight rows of a tile of linear_tile.wgsl
_TILE_TOKENS = (16, 64)  # its tokens: the smaller for steps that fit it


@dataclass(frozen=True)
class Norm:
    """A root mean square normalisation: its weight, float32 [columns], and the number added to the mean square."""

    weight: Buffer
    eps: float


def can_gate(weights: Matrix) -> bool:
    """Whether gates and values are the two halves of one buffer, as a product with an activation needs them."""
    return len(weights.parts) == 1 and weights.rows % 2 == 0


def can_append(weights: Matrix, append: Append, others: int) -> bool:
    """Whether a product with queries, keys and values can append them itself: its parts hold whole heads, elements go
    to the cache without others, and there are bindings enough (others: those of its bias and of its norm)."""
    rows = 4 if append.pairing == "neox" else 2
    whole = all(part.first % append.head_dim == 0 == part.rows % append.head_dim for part in weights)
    bindings = _APPEND_BINDINGS + others + max(len(part.tables) for part in weights)
    return whole and append.bits > 8 and append.head_dim % rows == 0 and bindings <= MAX_STORAGE_BINDINGS


def can_merge(device: Device, weights: Matrix, parts: Parts) -> bool:
    """Whether a product can put the parts of attention together itself, and does it sooner than a dispatch of its own:
    each of its workgroups reads all of them."""
    columns = weights.columns
    fits = columns <= min(_stage_columns(part) for part in weights)
    lengths_fit = columns % 8 == 0 and parts.head_dim % 4 == 0 and parts.splits % 2 == 0
    workgroups = sum(vector_template(device, part, part.rows, columns)[0] for part in weights)
    return fits and lengths_fit and 4 * columns * parts.splits * workgroups <= _MERGED_BYTES


def linear(
    program: Program,
    step: Buffer,
    x: Buffer,
    weights: Matrix,
    out: Buffer,
    max_count: int,
    bias: Buffer | None = None,
    accumulate: bool = False,
    norm: Norm | None = None,
    activation: Activation | None = None,
    append: Append | None = None,
    parts: Parts | None = None,
    integers: bool = False,
) -> None:
    """out[t, n] = sum_k weights[n, k] x[t, k] (+ bias[n]), or added to what `out` holds (accumulate).

    x: float32 [max_count, columns]; weights: [rows, columns] of any supported type; out: float32 [max_count, rows];
    bias: float32 [rows]. With max_count 1 the step buffer is not looked at, and what comes before and after a product
    can be part of it: norm, x is first normalised as by `rms_norm`; activation, the result is then gated as by `gated`
    (out: float32 [rows / 2]; `can_gate` says which weights allow it); append, the results are queries, keys and values,
    and go where `rope_append` puts them (out: the queries; `can_append` says whether it can be); parts, x is
    what `attention` leaves in parts (`can_merge` says whether that is well done here). integers: it may round
    x to 8 bits, a few dozen elements by their largest magnitude, and multiply bytes, where the device and the type can.
    Raises WgmlError when columns is no whole number of blocks of the type, or parts do not go together.
    """
    columns, width = weights.columns, weights.rows
    if (norm or activation or append or parts) and max_count > 1:
        raise WgmlError("only the product with a single vector takes in what comes before and after it")
    others: dict[str, Bound | None] = {"bias": bias} if bias else {}
    if norm:
        others["norm_weight"] = norm.weight
    if (
        (norm and columns % 8)
        or (activation and (bias is not None or not can_gate(weights)))
        or (append and (accumulate or activation or not can_append(weights, append, len(others))))
        or (parts and (norm or append or not can_merge(program.device, weights, parts)))
    ):
        raise WgmlError("this product can't take its norm, its activation or what follows it in")
    for part in weights:
        ends = {"bias": bias is not None, "accumulate": accumulate}
        rows = part.rows // 2 if activation else part.rows
        params: dict[str, Any] = {
            "columns": columns,
            "row_bytes": row_bytes(part.type, columns),
            "rows": rows,
            "first": part.first,
        }
        bindings: dict[str, Bound | None] = joined("linear", {"weights": part.buffer, "x": x}, others, part.tables)
        if max_count == 1:
            if norm:
                params["eps"] = norm.eps
            targets: Mapping[str, Bound | None] = {"out": out}
            each = 1 if activation else None
            if append:
                params |= {"heads": append.heads, "kv_heads": append.kv_heads}
                targets = {"step": step, "q": out} | append.bindings
                each = 4 if append.pairing == "neox" else 2
            workgroups, template = vector_template(program.device, part, rows, columns, each, integers)
            if parts:
                template |= {"head_dim": parts.head_dim}
            program.dispatch(
                "linear_vector",
                joined("linear_vector", bindings, targets),
                workgroups,
                params,
                **template | {"pairing": False} | (append.template if append else {}),
                **ends,
                splits=parts.splits if parts else 0,
                norm=norm is not None,
                function=activation or False,
                experts=False,
            )
        else:
            tokens = _TILE_TOKENS[max_count > _TILE_TOKENS[0]]
            program.dispatch(
                "linear_tile",
                joined("linear_tile", bindings, {"step": step, "out": out}),
                (-(-part.rows // TILE_ROWS), -(-max_count // tokens), 1),
                params | {"width": width},
                **part.template(columns),
                **ends,
                token_threads=tokens // 4,
                experts=False,
            )


def vector_template(
    device: Device, part: Part, rows: int, columns: int, each: int | None = None, integers: bool = False
) -> tuple[int, dict[str, Any]]:
    """How many workgroups of linear_vector.wgsl make `rows` rows with weights like `part`; its parameters for that.

    each: rows of an invocation; None: as many as suit. integers: as of `linear`.
    """
    if device.info.software:  # has no latency to hide, and loses by each idle lane
        workgroup_size, lanes, each = 64, 2, each or 2
    else:
        workgroup_size, lanes = 128, 32 if columns >= 512 else 8 if columns >= 256 else 4
        each = each or (2 if rows >= _MANY_ROWS else 1)
    template = part.template(columns) | {
        "shared_tables": True,
        "integers": integers and part.type in BYTE_TYPES and INTEGER_PRODUCTS in device.features,
        "columns": columns,
        "lanes": lanes,
        "each": each,
        "quads": -(-min(columns, _stage_columns(part)) // (4 * workgroup_size)),
        "workgroup_size": workgroup_size,
        # A subgroup adds in registers what its lanes hold, if a row's lanes never straddle two.
        "subgroups": "subgroups" in device.features and lanes <= device.info.subgroup_min_size,
    }
    return -(-rows * lanes // (workgroup_size * each)), template


def _stage_columns(part: Part) -> int:
    """The most columns of x that linear_vector.wgsl has room for at once in workgroup memory, beside a codebook."""
    return 1024 if part.tables else 2048


def linear_numpy(x: Array, weights: Array, bias: Array | None = None) -> Array:
    """x [T, columns], weights [rows, columns] dequantized, bias [rows] -> [T, rows]."""
    product: Array = x @ weights.T
    return product if bias is None else product + bias
