"""LayerNorm of rows (Ba et al., arXiv:1607.06450)."""

from ..gpu import Buffer, Program
from .lib.array import Array
from .rms_norm import Norm, norm_template, rms_norm_numpy

__all__ = ["layer_norm", "layer_norm_numpy"]


def layer_norm(
    program: Program,
    step: Buffer,
    x: Buffer,
    norm: Norm,
    bias: Buffer | None,
    out: Buffer,
    max_count: int,
    last: bool = False,
) -> None:
    """out[t] = (x[t] - mean(x[t])) / sqrt(variance(x[t]) + eps) * weight (+ bias).

    x, out: float32 [max_count, columns]; bias: float32 [columns]. last: only the step's last token is normalised, into
    row 0 of `out`.
    """
    program.dispatch(
        "layer_norm",
        {"step": step, "x": x, "weight": norm.weight, "bias": bias, "out": out},
        (1 if last else max_count, 1, 1),
        norm.params,
        last=last,
        bias=bias is not None,
        **norm_template(norm.columns),
    )


def layer_norm_numpy(x: Array, weight: Array, bias: Array | None, eps: float) -> Array:
    """x [T, columns], weight and bias [columns] -> [T, columns]."""
    normalised = rms_norm_numpy(x - x.mean(axis=-1, keepdims=True), weight, eps)
    return normalised if bias is None else normalised + bias
