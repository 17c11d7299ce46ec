"""One protocol for both sides: its declarations, and what each side makes of them."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from py_wgml import loaded, options, protocol, requests
from py_wgml.ops import Sampling
from web.build.protocol import SOURCES, TARGET, typescript


def test_the_declarations_for_javascript_are_those_for_python() -> None:
    assert TARGET.read_text() == typescript(), "python3 -m web.build.protocol writes it anew"


def test_every_message_has_a_type_of_its_own() -> None:
    for union in (protocol.Request, protocol.SessionReply, protocol.Reply):
        types = [get_args(get_type_hints(message)["type"])[0] for message in get_args(union)]
        assert len(types) == len(set(types))


def test_an_answer_is_asked_for_with_the_options_of_the_interface() -> None:
    assert {*requests.AnswerOptions.__annotations__} == {*options.NAMES} - {"on_prefill", "drop_oldest"}
    assert {field.name for field in fields(Sampling)} == {*options.SamplingOptions.__annotations__}
    assert {field.name for field in fields(loaded.Defaults)} <= {*requests.Sampling.__annotations__}


@pytest.mark.parametrize(("what", "anew"), [("    seed: int | None\n", ""), ("total: int\n", "total: set[int]\n")])
def test_a_change_is_noticed(what: str, anew: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    changed = [tmp_path / source.name for source in SOURCES]
    for path, source in zip(changed, SOURCES, strict=True):
        path.write_text(source.read_text().replace(what, anew, 1))
    monkeypatch.setattr("web.build.protocol.SOURCES", changed)
    if anew:
        with pytest.raises(ValueError, match=r"no type of TypeScript for set\[int\]"):
            typescript()
    else:
        assert TARGET.read_text() != typescript()
