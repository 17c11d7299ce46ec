import pytest
from ops.table import LARGE, TABLE

import py_wgml.ops


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.id)
def test_case(device, case):
    assert case.error(device) <= case.bound


def test_every_op_has_a_row():
    """An op of the package, known by its NumPy reference, is in the table, or has a file of tests of its own."""
    ops = {name.removesuffix("_numpy") for name in py_wgml.ops.__all__ if name.endswith("_numpy")}
    ops -= {"rotations", "sample"}
    assert ops <= {case.op for case in TABLE}


def test_ids_are_unique():
    for table in (TABLE, LARGE):
        assert len({case.id for case in table}) == len(table)
