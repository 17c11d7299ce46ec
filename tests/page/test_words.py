"""The page's words: each language has all of them, none is left over, and none was forgotten in English."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from web.build import paths, pins

LANGUAGES = sorted(path.stem for path in (paths.WEB / "page/words").glob("*.js"))
# The forms of plurals that a number below a million can ask for.
FORMS = {"ar": {"zero", "one", "two", "few", "many", "other"}, "zh": {"other"}, "ja": {"other"}}
# What is spelled alike in some other language.
ALIKE = {"ltr", "Top-k", "Top-p", "Min-p", "Token", "Kernel", "Prompt", "Tutor"}
ALIKE |= {"Details", "Head", "Name", "Pause", "Sampling", "Seed", "Symbol", "System", "Text"}  # German
ALIKE |= {"Architecture", "Assistant", "Assistants", "Messages", "Passage", "Sources", "Style", "Type"}  # French
ALIKE |= {"activation", "assistants", "attention"}
ALIKE |= {"General", "Ideas"}  # Spanish


@pytest.fixture(scope="module")
def found() -> Any:
    """What words.mjs found."""
    pins.node_modules(paths.WEB)
    program, _ = pins.node()
    command = [program, Path(__file__).with_name("words.mjs"), paths.WEB]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def test_the_page_offers_what_there_is() -> None:
    listed = re.search(r"const codes = (\[.*?\]);", (paths.WEB / "page/lang.js").read_text())
    offered = re.search(r"const LANGUAGES = \{(.*?)\n?\};", (paths.WEB / "page/language.js").read_text(), re.DOTALL)
    assert listed and offered
    assert sorted(json.loads(listed[1])) == sorted(re.findall(r"(\w\w): ", offered[1])) == LANGUAGES


def test_no_word_is_left_over_or_missing(found: Any) -> None:
    assert found["unused"] == []
    assert found["missing"] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_every_word(found: Any, language: str) -> None:
    english, own = found["languages"]["en"], found["languages"][language]
    assert [*own] == [*english]  # in the same order, too
    shape = {name: (word["kind"], word["length"]) for name, word in own.items()}
    assert shape == {name: (word["kind"], word["length"]) for name, word in english.items()}
    forms = FORMS.get(language, {"one", "other"})
    for name, word in own.items():
        assert all(set(given) == forms for given in word["plurals"]), name
    empty = {name for name, word in own.items() if word.get("text") == ""}
    assert empty == {name for name, word in english.items() if word.get("text") == ""}
    if language != "en":
        told = {name: text for name, word in own.items() if (text := word.get("text"))}
        same = {text for name, text in told.items() if text == english[name]["text"]}
        assert same <= ALIKE
