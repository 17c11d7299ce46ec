import numpy as np
import pytest

from py_wgml.errors import WgmlError
from py_wgml.ops import rope_append, rope_numpy, rotations_numpy


def test_rotation_is_a_rotation_by_position_times_frequency():
    """By hand: pair 0 of a head turns by `position` radians."""
    x = np.array([[[1.0, 0.0, 1.0, 0.0]]], np.float32)
    turned = rope_numpy(x, rotations_numpy(3, 1, 4, 100.0), "norm")[0, 0]
    np.testing.assert_allclose(turned, [np.cos(3), np.sin(3), np.cos(0.3), np.sin(0.3)], rtol=1e-6)


def test_refuses_odd_dimensions(bench):
    b = bench.poison(64)
    with pytest.raises(WgmlError, match="not supported"):
        rope_append(bench.device.program(), b, b, b, b, b, b, 1, 1, 8, 3, "norm", True, 1)
