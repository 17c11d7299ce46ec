import pytest

from py_wgml.errors import WgmlError
from py_wgml.ops import Routing


@pytest.mark.parametrize(("gating", "k", "message"), [("tanh", 1, "no gating"), ("softmax", 9, "cannot be chosen")])
def test_refuses(gating, k, message):
    with pytest.raises(WgmlError, match=message):
        Routing(8, k, gating, True)
