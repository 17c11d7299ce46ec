"""Products of each head of a token with a matrix of its own, as latent attention has them (arXiv:2405.04434): a vector
form for one token, a tiled one for many, and one for matrices that lie transposed in the file."""

from dataclasses import dataclass

import numpy as np

from ..errors import WgmlError
from ..gguf_model.weights import Matrix, row_bytes
from ..gpu import Buffer, Program
from ..gpu.device import fold
from .lib.array import Array
from .lib.tiling import tiling
from .lib.view import Columns
from .linear import vector_template
from .unary import Function

__all__ = ["HeadProducts", "linear_heads", "linear_heads_numpy"]

# linear_heads_transposed.wgsl
_LANES = 16
_STRANDS = 8
_TOKENS = 8


@dataclass(frozen=True)
class HeadProducts:
    """Products with the matrices of `heads` heads.

    x_width, width: elements of a head, of x and of the results; the first of them are multiplied and written.
    transposed: columns of a matrix are multiplied, and not its rows. x_bytes, function: as of `linear`, of the vector
    form.
    """

    heads: int
    x_width: int
    width: int
    transposed: bool = False
    x_bytes: int = 0
    function: Function | None = None


def linear_heads(
    program: Program, step: Buffer, x: Columns, weights: Matrix, out: Buffer, product: HeadProducts, max_count: int
) -> None:
    """out[t, h, n] = sum_k weights[h, n, k] x[t, h, k]; transposed: out[t, h, k] = sum_n weights[h, n, k] x[t, h, n].

    weights: [heads rows, columns] of any supported type, those of a head one below the other; x: [max_count,
    heads, x_width]; out: float32 [max_count, heads, width], of which no more is written.
    Raises WgmlError when columns is no whole number of blocks of the type, for a function of more than a vector, or as
    `require_width` does.
    """
    for width in (x.first, x.stride, product.x_width):
        require_width(width)
    if product.function and (product.transposed or max_count > 1):
        raise WgmlError("only the product with a single vector takes in what comes after it")
    rows, columns = weights.rows // product.heads, weights.columns
    for stripe in weights:
        bindings = {"step": step, "weights": stripe.buffer, "x": x.buffer, "out": out}
        params = {
            "columns": columns,
            "row_bytes": row_bytes(stripe.type, columns),
            "rows": rows,
            "x_first": x.first,
            "x_width": product.x_width,
            "width": product.width,
            "skipped": stripe.first,
            "stripe_rows": stripe.rows,
        }
        template = stripe.template(columns)
        if product.transposed:
            tokens = min(max_count, _TOKENS)
            program.dispatch(
                "linear_heads_transposed",
                [bindings, stripe.tables],
                (-(-columns // (8 * _LANES)), -(-max_count // tokens), product.heads),
                [params, {"heads": product.heads, "x_stride": x.stride}],
                **template,
                tokens=tokens,
                lanes=_LANES,
                strands=_STRANDS,
                accumulate=stripe.first > 0,
            )
            continue
        params |= {"first": 0, "slots": product.heads}
        if max_count > 1:
            tiles = tiling(program.device, rows, max_count)
            program.dispatch(
                "linear_heads_tile",
                [bindings, stripe.tables],
                (*tiles.workgroups(rows, max_count), product.heads),
                [params, {"x_stride": x.stride}],
                **template,
                **tiles.template,
            )
            continue
        workgroups, template = vector_template(program.device, stripe, rows, columns, x_bytes=product.x_bytes)
        program.dispatch(
            "linear_heads_vector",
            [bindings, stripe.tables],
            (*fold(workgroups)[:2], product.heads),
            params,
            **template,
            activated=product.function or False,
        )


def require_width(x_width: int) -> None:
    """Refuse lengths. Raises WgmlError for those behind which four elements can't be read at once."""
    if x_width % 4:
        raise WgmlError(f"heads or rows of {x_width} elements, no multiple of 4, are not supported")


def linear_heads_numpy(x: Array, weights: Array, transposed: bool = False) -> Array:
    """x [T, heads, k], weights [heads, n, k] dequantized -> [T, heads, n]; transposed: x of n -> as many of k."""
    product: Array = np.einsum("thn,hnk->thk" if transposed else "thk,hnk->thn", x, weights)
    return product
