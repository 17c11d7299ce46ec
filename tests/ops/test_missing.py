"""An operation's files go by one name; whatever breaks the rule of py_wgml/ops is found."""

import shutil
from pathlib import Path

import pytest
from ops.missing import ROOT, missing_cases, missing_files
from ops.table import TABLE

FOLDERS = ("py_wgml/ops", "wgsl", "tests/ops/cases")
NEW = "from ..gpu import Program\n\n\ndef {}(program: Program) -> None: ...\n"


def test_nothing_is_missing() -> None:
    assert missing_files() == [] == missing_cases(TABLE)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, tmp_path / folder)
    assert missing_files(tmp_path) == []
    return tmp_path


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("wgsl/flip.wgsl", ["kernel flip: no operation"]),
        ("tests/ops/cases/flip.py", ["cases flip: no operation"]),
        ("wgsl/gemm_tile.wgsl", ["gemm.py: dispatches ['gemm'], not ['gemm', 'gemm_tile']"]),
        ("py_wgml/ops/lib/flip.py", ["lib/flip.py: has the operations ['flip'], not []"]),
        ("wgsl/quant/flip.wgsl", []),
        (
            "py_wgml/ops/flip.py",
            [
                "operation flip: no cases",
                "operation flip: no kernel, and made of no other operation",
                "operation flip: not in __init__.py",
            ],
        ),
    ],
)
def test_a_file_too_many_is_found(checkout: Path, path: str, found: list[str]) -> None:
    (checkout / path).write_text(NEW.format(Path(path).stem))
    assert missing_files(checkout) == found


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("tests/ops/cases/gemm.py", ["operation gemm: no cases"]),
        (
            "wgsl/linear_sum.wgsl",
            [
                "linear.py: dispatches ['linear_few', 'linear_sum', 'linear_tile', 'linear_vector'], "
                "not ['linear_few', 'linear_tile', 'linear_vector']"
            ],
        ),
        ("py_wgml/ops/gemm.py", ["cases gemm: no operation", "kernel gemm: no operation"]),
    ],
)
def test_a_file_too_few_is_found(checkout: Path, path: str, found: list[str]) -> None:
    (checkout / path).unlink()
    assert missing_files(checkout) == found


@pytest.mark.parametrize(
    ("path", "text", "other", "found"),
    [
        ("__init__.py", "from .gemm import *\n", "", "operation gemm: not in __init__.py"),
        ("gemm.py", "def gemm(", "def product(", "gemm.py: has the operations ['product'], not ['gemm']"),
        ("gemm.py", "def gemm_numpy(a: Array,", "def gemm_numpy(p: Program,", "gemm.py: has the operations ['gemm', "),
        ("gemm.py", '"gemm",\n        {', '"gemv",\n        {', "gemm.py: dispatches ['gemv'], not ['gemm']"),
        ("gemm.py", '"gemm",\n        {', "kernel,\n        {", "gemm.py: dispatches [], not ['gemm']"),
        ("argmax.py", "from .top_k import top_k\n", "", "operation argmax: no kernel, and made of no other operation"),
    ],
    ids=["not listed", "misnamed", "a second one", "another's kernel", "a kernel without a name", "made of nothing"],
)
def test_a_file_of_another_content_is_found(checkout: Path, path: str, text: str, other: str, found: str) -> None:
    file = checkout / "py_wgml/ops" / path
    whole = file.read_text()
    assert whole.count(text) == 1
    file.write_text(whole.replace(text, other))
    (line,) = missing_files(checkout)
    assert line.startswith(found)


def test_an_op_and_a_tensor_type_without_cases_are_found() -> None:
    assert missing_cases([case for case in TABLE if case.name != "sample" and case.kind != "IQ3_S"]) == [
        *("dequantize IQ3_S", "get_rows IQ3_S", "linear IQ3_S", "linear_experts IQ3_S", "linear_heads IQ3_S", "sample"),
    ]
