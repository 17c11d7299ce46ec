"""Row gather with dequantization: embeddings of tokens and of positions."""

import numpy as np

from ..gguf_model.weights import Matrix, row_bytes
from ..gpu import Buffer, Program
from .lib.array import Array

__all__ = ["get_rows", "get_rows_numpy"]

_WORKGROUP_SIZE = 64


def get_rows(
    program: Program,
    step: Buffer,
    tokens: Buffer | None,
    weights: Matrix,
    out: Buffer,
    max_count: int,
    scale: float = 1.0,
    accumulate: bool = False,
) -> None:
    """out[t] = scale * weights[tokens[position + t]] for the step's tokens, or added to what `out` holds (accumulate).

    tokens: uint32 [context]; None: positions themselves pick the rows. weights: [rows, columns] of any supported type.
    out: float32 [max_count, columns].
    max_count: the most tokens a step of this program takes. Ids that are no row of `weights` leave out[t] as it was.
    Raises WgmlError when columns is no whole number of blocks of the type.
    """
    workgroups = -(-weights.columns // (8 * _WORKGROUP_SIZE))
    for stripe in weights:
        program.dispatch(
            "get_rows",
            [{"step": step, "tokens": tokens, "weights": stripe.buffer, "out": out}, stripe.tables],
            (workgroups, max_count, 1),
            {
                "columns": weights.columns,
                "row_bytes": row_bytes(stripe.type, weights.columns),
                "first_row": stripe.first,
                "rows": stripe.rows,
                "scale": scale,
            },
            **stripe.template(weights.columns),
            tokens=tokens is not None,
            accumulate=accumulate,
            workgroup_size=_WORKGROUP_SIZE,
        )


def get_rows_numpy(weights: Array, ids: Array, scale: float = 1.0) -> Array:
    """weights [rows, columns], ids [T] -> [T, columns]."""
    rows: Array = weights[ids] * np.float32(scale)
    return rows
