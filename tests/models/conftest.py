"""Models run on both compilers; the subgroup variants of the kernels are covered by the tests of the ops."""

import gpus
import pytest

from py_wgml.gpu import Device


@pytest.fixture(params=["naga", pytest.param("tint", marks=pytest.mark.slow)])
def device(request: pytest.FixtureRequest) -> Device:
    return gpus.device(request.param)
