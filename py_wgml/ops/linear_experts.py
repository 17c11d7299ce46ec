"""Products with the matrices of a mixture's experts, those that `route` chose for each token: a vector form for few
tokens, a tiled one for many, which reads an expert's matrix once for several of those that it has."""

from dataclasses import dataclass

import numpy as np

from ..gguf_model.weights import Matrix, row_bytes
from ..gpu import Buffer, Program
from ..gpu.device import fold
from .group_experts import Groups
from .lib.array import Array
from .lib.tiling import group_tiling
from .linear import vector_template

__all__ = ["Experts", "linear_experts", "linear_experts_numpy"]


@dataclass(frozen=True)
class Experts:
    """A product with the matrices of `experts` experts, of which each token has `slots`.

    shared: all slots of a token have the same row of x. bias: float32 [experts, rows]. scale: float32 [experts], what
    products are multiplied by before. width, first: elements of a row
    of the results (None: as many as the matrices have rows), and where in it those of this product begin. x_bytes: as
    of `linear`, of the vector form.
    """

    experts: int
    slots: int
    shared: bool = False
    bias: Buffer | None = None
    scale: Buffer | None = None
    first: int = 0
    width: int | None = None
    x_bytes: int = 0


def linear_experts(
    program: Program,
    step: Buffer,
    x: Buffer,
    weights: Matrix,
    ids: Buffer | Groups,
    out: Buffer,
    product: Experts,
    max_count: int,
) -> None:
    """out[t, s, first + n] = sum_k weights[e, n, k] x[t, s, k] (* scale[e]) (+ bias[e, n]), e = ids[t, s], s < slots.

    weights: [experts rows, columns] of any supported type, those of an expert one below the other; ids: uint32
    [max_count, slots], or for the tiled form what `group_experts` makes of them; x: float32 [max_count, slots,
    columns], or [max_count, columns] (shared); out: float32 [max_count, slots, width].
    Raises WgmlError when columns is no whole number of blocks of the type.
    """
    rows, columns = weights.rows // product.experts, weights.columns
    ends = {"row_scale": product.scale is not None, "bias": product.bias is not None}
    for stripe in weights:
        bindings = {"weights": stripe.buffer, "x": x, "out": out, "row_scale": product.scale, "bias": product.bias}
        params = {
            "columns": columns,
            "row_bytes": row_bytes(stripe.type, columns),
            "rows": rows,
            "first": product.first,
            "sharing": product.slots if product.shared else 1,
            "skipped": stripe.first,
            "stripe_rows": stripe.rows,
            "width": product.width or rows,
        }
        if isinstance(ids, Groups):
            tiles = group_tiling(program.device, ids.size)
            program.dispatch(
                "linear_experts_tile",
                [bindings, {"tiles": ids.tiles, "order": ids.order}, stripe.tables],
                (tiles.workgroups(rows, ids.size)[0], ids.count, 1),
                params,
                **stripe.template(columns),
                **ends,
                **tiles.template,
            )
        else:
            workgroups, template = vector_template(program.device, stripe, rows, columns, x_bytes=product.x_bytes)
            program.dispatch(
                "linear_experts_vector",
                [bindings, {"step": step, "ids": ids}, stripe.tables],
                (*fold(workgroups)[:2], max_count * product.slots),
                [params, {"slots": product.slots}],
                **template,
                **ends,
            )


def linear_experts_numpy(
    x: Array, weights: Array, ids: Array, bias: Array | None = None, scale: Array | None = None
) -> Array:
    """x [T, slots, columns] or [T, 1, columns], weights [experts, rows, columns] dequantized, ids [T, slots], bias
    [experts, rows], scale [experts] -> [T, slots, rows]."""
    product: Array = np.einsum("tsrc,tsc->tsr", weights[ids], np.broadcast_to(x, (*ids.shape, x.shape[-1])))
    product = product if scale is None else product * scale[ids][..., None]
    return product if bias is None else product + bias[ids]
