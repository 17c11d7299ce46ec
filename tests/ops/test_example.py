"""The example of docs/kernels.md, run as it stands there; what documents the ops."""

import ast
import asyncio
import re
import subprocess
import sys
import textwrap
from types import FunctionType
from typing import Any

import pytest
from ops.example import PAPER, assert_right, example

import py_wgml.gpu
import py_wgml.ops
from py_wgml.gpu import Device


def test_example(device: Device, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    async def open_device() -> Device:
        return device

    monkeypatch.setattr(py_wgml.gpu, "open_device", open_device)
    names: dict[str, Any] = {}
    asyncio.run(eval(compile(example(), "example", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names))
    arrays = [asyncio.run(device.read_array(names[name], (64, 64))) for name in ("a", "b", "out")]
    assert_right(arrays, capsys.readouterr().out)


def test_the_docstring_has_the_same_example() -> None:
    text = py_wgml.ops.__doc__
    assert text is not None
    lines = textwrap.dedent(text[text.index("    from") :]).split()
    assert lines == example().split()[2:]  # less `import numpy`


def print_kernel(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "py_wgml.wgsl", *arguments], capture_output=True, text=True)


def test_the_command_in_the_paper_prints_a_kernel() -> None:
    (command,) = re.findall(r"^python -m py_wgml.wgsl (.*)", PAPER, re.MULTILINE)
    assert "fn main(" in print_kernel(*command.split()).stdout


def test_the_command_takes_lists_and_tells_what_is_missing() -> None:
    done = print_kernel("lib/reduce", "workgroup_size=64", "reductions=sum,max", "subgroups=false")
    assert re.findall(r"fn (workgroup_\w+)", done.stdout) == ["workgroup_sum", "workgroup_max"]
    done = print_kernel("lib/reduce", "workgroup_size=64")
    assert done.returncode == 1 and done.stderr == "kernel lib/reduce: 'reductions' is undefined\n"


NAMES = [name for name, value in vars(py_wgml.ops).items() if isinstance(value, type | FunctionType)]


@pytest.mark.parametrize("name", NAMES)
def test_every_function_and_class_has_a_docstring(name: str) -> None:
    assert (getattr(py_wgml.ops, name).__doc__ or "").strip()
