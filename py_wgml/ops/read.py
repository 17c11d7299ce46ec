"""A plain read of memory, as fast as the GPU can: what its bandwidth is measured with."""

import numpy as np

from ..errors import WgmlError
from ..gpu import Buffer, Program
from .lib.array import Array

__all__ = ["read", "read_numpy"]

WORKGROUP_SIZE = 256


def read(program: Program, data: Buffer, out: Buffer, workgroups: int) -> None:
    """out[i] = the exclusive or of the words of quads i, i + n, i + 2n .. of `data`; n: all WORKGROUP_SIZE workgroups.

    data: uint32 [quads, 4]; out: uint32 [n].
    Raises WgmlError when out has no room for that.
    """
    invocations = workgroups * WORKGROUP_SIZE
    if out.nbytes < 4 * invocations:
        raise WgmlError(f"what {workgroups} workgroups read does not fit {out.nbytes} bytes")
    program.dispatch(
        "read",
        {"data": data, "out": out},
        (workgroups, 1, 1),
        {"quads": data.nbytes // 16, "invocations": invocations},
        workgroup_size=WORKGROUP_SIZE,
    )


def read_numpy(data: Array, invocations: int) -> Array:
    """data uint32 [quads, 4] -> [invocations]."""
    words = np.bitwise_xor.reduce(data, axis=1)
    rounds = np.zeros((-(-len(words) // invocations), invocations), np.uint32)
    rounds.reshape(-1)[: len(words)] = words
    out: Array = np.bitwise_xor.reduce(rounds, axis=0)
    return out
