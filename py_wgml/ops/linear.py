"""Products with a weight matrix in its quantized form: a vector form for one token, a tiled one for many."""

from ..gguf_model.weights import Matrix, row_bytes
from ..gpu import Buffer, Program, block
from .array import Array

_VECTOR_WORKGROUP_SIZE = 64
_TILE_ROWS = 64  # weight rows of a tile of linear_tile.wgsl
_TILE_TOKENS = (16, 64)  # its tokens: the smaller for steps that fit it


def linear(
    program: Program,
    step: Buffer,
    x: Buffer,
    weights: Matrix,
    out: Buffer,
    max_count: int,
    bias: Buffer | None = None,
    accumulate: bool = False,
) -> None:
    """out[t, n] = sum_k weights[n, k] x[t, k] (+ bias[n]), or added to what `out` holds (accumulate).

    x: float32 [max_count, columns]; weights: [rows, columns] of any supported type; out: float32 [max_count, rows];
    bias: float32 [rows]. With max_count 1 the step buffer is not looked at.
    Raises WgmlError when columns is no whole number of blocks of the type.
    """
    columns, width = weights.columns, weights.rows
    for part in weights:
        others: list[Buffer | bytes] = [*([] if bias is None else [bias]), *part.tables]
        template = {**part.template(columns), "bias": bias is not None, "accumulate": accumulate}
        params = (columns, row_bytes(part.type, columns), part.rows, part.first)
        if max_count == 1:
            lanes = _lanes(columns)
            program.dispatch(
                "linear_vector",
                [block(*params), part.buffer, x, out, *others],
                -(-part.rows * lanes // _VECTOR_WORKGROUP_SIZE),
                **template,
                lanes=lanes,
                workgroup_size=_VECTOR_WORKGROUP_SIZE,
                # A subgroup adds in registers what its lanes hold, if a row's lanes never straddle two.
                subgroups="subgroups" in program.device.features and lanes <= program.device.info.subgroup_min_size,
            )
        else:
            tokens = _TILE_TOKENS[max_count > _TILE_TOKENS[0]]
            program.dispatch(
                "linear_tile",
                [block(*params, width), step, part.buffer, x, out, *others],
                (-(-part.rows // _TILE_ROWS), -(-max_count // tokens), 1),
                **template,
                token_threads=tokens // 4,
            )


def _lanes(columns: int) -> int:
    """Invocations that share a row of the vector form: enough to hide latency, few enough that none idles."""
    for lanes in (32, 16, 8):
        if columns >= 32 * lanes:
            return lanes
    return 4


def linear_numpy(x: Array, weights: Array, bias: Array | None = None) -> Array:
    """x [T, columns], weights [rows, columns] dequantized, bias [rows] -> [T, rows]."""
    product: Array = x @ weights.T
    return product if bias is None else product + bias
