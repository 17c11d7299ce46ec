"""A short run of each kind of odd input, and the bounds that the runner sets."""

from __future__ import annotations

from pathlib import Path

import pytest

import fuzz

# How many of each kind: 30 s in all. Those that drive a browser are marked with pytest.mark.browsers.
COUNTS = [
    pytest.param("headers", 800),
    pytest.param("templates", 60),
    pytest.param("requests", 90, marks=[pytest.mark.browsers, pytest.mark.slow]),
    pytest.param("answers", 6, marks=[pytest.mark.browsers, pytest.mark.slow]),
]


@pytest.mark.parametrize(("kind", "count"), COUNTS)
def test_short_run(kind: str, count: int) -> None:
    results = list(fuzz.run(f"fuzz.{kind}", range(count)))
    assert [result.seed for result in results] == list(range(count))
    assert [f"{kind} {result.seed}: {result.fault}" for result in results if result.fault] == []


BAD = """
import contextlib, os
import fuzz

@contextlib.contextmanager
def session():
    yield "the session"

def case(seed):
    return seed

def check(case, session):
    assert session == "the session"
    if case == 1:
        raise fuzz.Fault("as it should not be")
    if case == 2:
        {}["key"]
    if case == 3:
        bytearray(fuzz.BYTES + (1 << 28))[::4096] = bytes((fuzz.BYTES + (1 << 28)) // 4096)
    if case == 4:
        os._exit(7)
    while case == 5:
        pass
    return "done"
"""


def test_what_must_not_happen_is_told_and_the_next_case_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad_kind.py").write_text(BAD)
    monkeypatch.syspath_prepend(tmp_path)
    results = list(fuzz.run("bad_kind", range(7)))
    assert [result.seed for result in results] == list(range(7))
    faults = [result.fault or "" for result in results]
    assert (faults[0], faults[1], faults[6]) == ("", "as it should not be", "")
    assert faults[2] == "KeyError: 'key' (bad_kind.py:17)"
    assert "GB of memory" in faults[3]
    assert "ended with code 7" in faults[4]
    assert "more than 5 s" in faults[5] and "bad_kind.py" in faults[5]


def test_command_ends_with_code_1_where_something_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzz.report("headers", range(3)) == 0
    assert capsys.readouterr().out.startswith("headers: 3 in ")
