import pytest

from py_wgml.errors import WgmlError
from py_wgml.ops import route


@pytest.mark.parametrize(("gating", "k", "message"), [("tanh", 1, "no gating"), ("softmax", 9, "cannot be chosen")])
def test_refuses(bench, gating, k, message):
    b = bench.poison(64)
    with pytest.raises(WgmlError, match=message):
        route(bench.device.program(), b, b, b, b, 8, k, gating, True, 1)
