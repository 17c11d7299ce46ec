import pytest

from py_wgml.errors import WgmlError
from py_wgml.ops import Append


def test_refuses_odd_dimensions(bench):
    b = bench.poison(64)
    with pytest.raises(WgmlError, match="not supported"):
        Append(b, b, b, 1, 1, 8, 3, "norm", True)
