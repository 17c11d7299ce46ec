import numpy as np
from ops.harness import Bench, Job, Mutation, Refusals, cases

from py_wgml.ops import read, read_numpy
from py_wgml.ops.read import WORKGROUP_SIZE


def read_case(b: Bench, kind: str, quads: int, workgroups: int) -> Job:
    data = b.random.integers(0, 1 << 32, (quads, 4), np.uint32)
    invocations = workgroups * WORKGROUP_SIZE
    out, at = b.poison(invocations, dtype=np.uint32), b.up(data)
    return Job(lambda p: read(p, at, out, workgroups), {out: read_numpy(data, invocations)})


TABLE = [*cases(read_case, ["u32"], 0, ["normal"], quads=[5, 2048, 3001], workgroups=[1, 3])]

LARGE = [*cases(read_case, ["u32"], 0, ["normal"], quads=[1 << 22], workgroups=[2048])]


def refusals(b: Bench) -> Refusals:
    program, data, short = b.device.program(), b.poison(64), b.up(np.zeros(WORKGROUP_SIZE, np.uint32))
    return [(lambda: read(program, data, short, 2), "does not fit 1024 bytes")]


MUTATIONS = [
    Mutation("last round of a read", "read.wgsl", "i < params.quads", "i + params.invocations < params.quads", "read-")
]
