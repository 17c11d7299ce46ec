"""The example of the ops in docs/kernels.md, and how its result is checked, natively and in a browser."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from py_wgml.ops import unary_numpy

PAPER = (Path(__file__).parents[2] / "docs/kernels.md").read_text()

# What follows the example: the value of the last line is JSON of its inputs and its result.
CHECK = """
import json
json.dumps([(await device.read_array(buffer, (64, 64))).tolist() for buffer in (a, b, out)])
"""


def example() -> str:
    """The first block of code."""
    return str(re.findall(r"```python\n(.*?)```", PAPER, re.DOTALL)[0])


def assert_right(arrays: list[Any], output: str) -> None:
    a, b, out = (np.array(array) for array in arrays)
    np.testing.assert_allclose(out, unary_numpy(a @ b.T, "gelu"), rtol=1e-5)
    assert output.startswith("[[")
