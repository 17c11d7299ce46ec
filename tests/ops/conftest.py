"""Each test of an op runs on every compiler, with and without subgroups."""

from collections.abc import Iterator

import pytest
from ops import harness

from py_wgml.gpu import Device

# Quick runs are content with one.
PARAMS = [pytest.param(v, marks=() if v == "naga" else pytest.mark.slow) for v in harness.VARIANTS]


@pytest.fixture(params=PARAMS)
def device(request: pytest.FixtureRequest) -> Device:
    return harness.device(request.param)


@pytest.fixture
def bench(device: Device) -> Iterator[harness.Bench]:
    made = harness.Bench(device)
    yield made
    made.close()
