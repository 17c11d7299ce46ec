"""Tests that go together run in one process: see conftest.py, and `build.py test`."""

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="runs in one process")
def test_tests_have_their_group(request: pytest.FixtureRequest) -> None:
    """pytest-xdist reads it off their names, where it writes it itself; another pytest may not show that."""
    assert request.node.nodeid.endswith("@test_groups.py")
