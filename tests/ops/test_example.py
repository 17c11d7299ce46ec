"""The example in the package's docstring, run as it stands there."""

import ast
import asyncio
import textwrap

import numpy as np
import pytest

import py_wgml.gpu
import py_wgml.ops
from py_wgml.ops import unary_numpy


def test_example(device, monkeypatch, capsys):
    async def open_device():
        return device

    monkeypatch.setattr(py_wgml.gpu, "open_device", open_device)
    text = py_wgml.ops.__doc__
    assert text is not None
    example = textwrap.dedent(text[text.index("    from") :])
    names = {"numpy": np}
    code = compile(example, "example", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    asyncio.run(eval(code, names))
    arrays = [asyncio.run(device.read_array(names[name], (64, 64))) for name in ("a", "b", "out")]
    np.testing.assert_allclose(arrays[2], unary_numpy(arrays[0] @ arrays[1].T, "gelu"), rtol=1e-5)
    assert capsys.readouterr().out.startswith("[[")


@pytest.mark.parametrize("name", sorted(py_wgml.ops.__all__))
def test_everything_has_a_docstring(name):
    assert (getattr(py_wgml.ops, name).__doc__ or "").strip()
