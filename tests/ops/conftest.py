"""Each test of an op runs on every compiler, with and without subgroups."""

from collections.abc import Iterator

import pytest
from ops import harness

from py_wgml.gpu import Device

# What browsers have: Firefox naga without subgroups, Chrome Tint with them. Quick runs are content with one of these.
MARKS = {"naga": (), "tint-subgroups": (pytest.mark.slow,)}
OTHERS = pytest.mark.slow, pytest.mark.thorough
PARAMS = [pytest.param(variant, marks=MARKS.get(variant, OTHERS)) for variant in harness.VARIANTS]


@pytest.fixture(params=PARAMS)
def device(request: pytest.FixtureRequest) -> Device:
    return harness.device(request.param)


@pytest.fixture
def bench(device: Device) -> Iterator[harness.Bench]:
    made = harness.Bench(device)
    yield made
    made.close()
