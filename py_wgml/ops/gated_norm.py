"""RMSNorm with a gate beside it (Mamba-2, arXiv:2405.21060; gated delta rule, arXiv:2412.06464)."""

from dataclasses import dataclass

from ..gpu import Buffer, Program
from .lib.array import Array
from .lib.view import Columns
from .rms_norm import Norm, rms_norm_numpy
from .unary import Function, unary_numpy

__all__ = ["Gates", "gated_norm", "gated_norm_numpy"]

_WORKGROUP_SIZE = 64


@dataclass(frozen=True)
class Gates:
    """A norm with gates: after it, or before it. gate: as many columns as what is normed has."""

    gate: Columns
    norm: Norm
    before: bool
    activation: Function = "silu"


def gated_norm(program: Program, step: Buffer, x: Buffer, gates: Gates, out: Buffer, max_count: int) -> None:
    """The norm of each part of x, times the activated gates; before: of each part of x times them.

    x, out: float32 [max_count, parts columns].
    """
    gate, norm = gates.gate, gates.norm
    program.dispatch(
        "gated_norm",
        {"step": step, "x": x, "gate": gate.buffer, "weight": norm.weight, "out": out},
        (max_count, norm.parts, 1),
        {**norm.params, **gate.params("gate")},
        before=gates.before,
        function=gates.activation,
        workgroup_size=_WORKGROUP_SIZE,
    )


def gated_norm_numpy(
    x: Array, gate: Array, weight: Array, eps: float, before: bool, activation: Function = "silu"
) -> Array:
    """x, gate [T, parts, columns], weight [columns] or [parts, columns] -> as x."""
    gates = unary_numpy(gate, activation)
    return rms_norm_numpy(x * gates, weight, eps) if before else rms_norm_numpy(x, weight, eps) * gates
