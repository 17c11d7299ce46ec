"""Products with the matrices of a mixture's experts, those that `route` chose for each token."""

import numpy as np

from ..gguf_model.weights import Matrix, row_bytes
from ..gpu import Buffer, Program, block
from ..gpu.device import fold
from .array import Array
from .linear import vector_template


def linear_experts(
    program: Program,
    step: Buffer,
    x: Buffer,
    weights: Matrix,
    ids: Buffer,
    out: Buffer,
    experts: int,
    slots: int,
    max_count: int,
    bias: Buffer | None = None,
    shared: bool = False,
    first: int = 0,
    width: int | None = None,
    integers: bool = False,
) -> None:
    """out[t, s, first + n] = sum_k weights[ids[t, s], n, k] x[t, s, k] (+ bias[ids[t, s], n]) for s < slots.

    weights: [experts rows, columns] of any supported type, those of an expert one below the other; ids: uint32
    [max_count, slots]; x: float32 [max_count, slots, columns], or [max_count, columns] for all slots of a token
    (shared); bias: float32 [experts, rows]; out: float32 [max_count, slots, width], width being rows if not given.
    integers: as of `linear`.
    Raises WgmlError when columns is no whole number of blocks of the type.
    """
    rows, columns = weights.rows // experts, weights.columns
    for part in weights:
        workgroups, template = vector_template(program.device, part, rows, columns, integers=integers)
        place = slots, slots if shared else 1, part.first, part.rows, width or rows
        others: list[Buffer | bytes] = [step, ids, *([bias] if bias else []), *part.tables]
        program.dispatch(
            "linear_vector",
            [block(columns, row_bytes(part.type, columns), rows, first, *place), part.buffer, x, out, *others],
            (*fold(workgroups)[:2], max_count * slots),
            **template,
            bias=bias is not None,
            accumulate=False,
            norm=False,
            function=False,
            pairing=False,
            splits=0,
            experts=True,
        )


def linear_experts_numpy(x: Array, weights: Array, ids: Array, bias: Array | None = None) -> Array:
    """x [T, slots, columns] or [T, 1, columns], weights [experts, rows, columns] dequantized, ids [T, slots], bias
    [experts, rows] -> [T, slots, rows]."""
    product: Array = np.einsum("tsrc,tsc->tsr", weights[ids], np.broadcast_to(x, (*ids.shape, x.shape[-1])))
    return product if bias is None else product + bias[ids]
