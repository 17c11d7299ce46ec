from pathlib import Path

import gpus
import pytest
from ops.mutate import MUTATIONS
from ops.table import LARGE, TABLE, missing


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.id)
def test_case(device, case):
    assert case.error(device) <= case.bound


TUNED = [case for case in TABLE if case.op in ("attention", "linear", "linear_append", "linear_experts")]


@pytest.mark.parametrize("case", TUNED, ids=lambda case: case.id)
def test_case_as_software_adapters_have_it(case):
    """Other sizes of workgroups, and rows with a lane of their own."""
    assert case.error(gpus.device("naga", software=True)) <= case.bound


def test_no_op_and_no_tensor_type_is_missing():
    assert missing(TABLE) == []
    assert missing([case for case in TABLE if case.op != "sample" and case.kind != "IQ3_S"]) == [
        *("dequantize IQ3_S", "get_rows IQ3_S", "linear IQ3_S", "linear_experts IQ3_S", "sample"),
    ]


def test_ids_are_unique():
    for table in (TABLE, LARGE):
        assert len({case.id for case in table}) == len(table)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_mutations_have_something_to_break(mutation):
    text = (Path(__file__).parents[2] / "wgsl" / mutation.file).read_text()
    assert text.count(mutation.text) == 1 and mutation.text != mutation.replacement
