from pathlib import Path

import gpus
import pytest
from ops.harness import Bench, Case, Mutation
from ops.missing import functions
from ops.table import FILES, LARGE, MUTATIONS, TABLE

from py_wgml.errors import WgmlError
from py_wgml.gpu import Device


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.id)
def test_case(device: Device, case: Case) -> None:
    assert case.error(device) <= case.bound


TUNED = [
    case
    for case in TABLE
    if case.name in ("attention", "linear", "linear_append", "linear_attention", "linear_experts")
]


@pytest.mark.parametrize("case", TUNED, ids=lambda case: case.id)
def test_case_as_software_adapters_have_it(case: Case) -> None:
    """Other sizes of workgroups, and rows with a lane of their own."""
    assert case.error(gpus.device("naga", software=True)) <= case.bound


REFUSALS = {name: file.refusals for name, file in FILES.items() if hasattr(file, "refusals")}


@pytest.mark.parametrize("name", REFUSALS)
def test_refuses(bench: Bench, name: str) -> None:
    calls = list(REFUSALS[name](bench))
    assert calls
    for call, message in calls:
        with pytest.raises(WgmlError, match=message):
            call()


def test_what_an_op_says_that_it_raises_is_tried() -> None:
    assert {name for name, op in functions().items() if "Raises WgmlError" in op.__doc__} <= REFUSALS.keys()


def test_ids_are_unique() -> None:
    for table in (TABLE, LARGE):
        assert len({case.id for case in table}) == len(table)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_mutations_have_something_to_break(mutation: Mutation) -> None:
    text = (Path(__file__).parents[2] / "wgsl" / mutation.file).read_text()
    assert text.count(mutation.text) == 1 and mutation.text != mutation.replacement
