"""A quantized matrix, or some rows of it, as plain numbers. Its reference is `gguf.quants.dequantize`."""

from ..errors import WgmlError
from ..gguf_model.weights import Matrix, row_bytes
from ..gpu import Buffer, Program

__all__ = ["dequantize"]

_WORKGROUP_SIZE = 64


def dequantize(program: Program, weights: Matrix, out: Buffer, first: int = 0, rows: int | None = None) -> None:
    """out[n] = weights[first + n] for n < rows (all that follow, if None).

    weights: [.., columns] of any supported type. out: float32 [rows, columns]. A matrix whose numbers don't fit one
    binding is to be dequantized some rows at a time.
    Raises WgmlError when the rows are not in `weights`, don't fit `out` or a binding, or columns is no whole number of
    blocks of the type.
    """
    columns = weights.columns
    end = weights.rows if rows is None else first + rows
    if not 0 <= first < end <= weights.rows:
        raise WgmlError(f"rows {first} to {end} of a matrix of {weights.rows} rows")
    nbytes = 4 * (end - first) * columns
    room = min(out.nbytes, program.device.max_tensor_bytes)
    if nbytes > room:
        raise WgmlError(f"{end - first} rows of {columns} numbers are {nbytes} bytes; the output takes {room}")
    for stripe in weights:
        begin, stop = max(first, stripe.first), min(end, stripe.first + stripe.rows)
        if begin < stop:
            program.dispatch(
                "dequantize",
                [{"weights": stripe.buffer, "out": out}, stripe.tables],
                -(-(stop - begin) * -(-columns // 8) // _WORKGROUP_SIZE),
                {
                    "columns": columns,
                    "row_bytes": row_bytes(stripe.type, columns),
                    "rows": stop - begin,
                    "first": begin - stripe.first,
                    "first_out": begin - first,
                },
                **stripe.template(columns),
                workgroup_size=_WORKGROUP_SIZE,
            )
