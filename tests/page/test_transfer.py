"""Conversations as files: what is exported is read back as it was, and what is no such file is refused."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest
from page.pages import ready
from playwright.sync_api import Page

pytestmark = pytest.mark.slow

TRANSFER = """async (records) => {
  const { fromFile, toMarkdown, toJson } = await import("./page/transfer.js");
  const told = ({ name, messages }) => ({ name, messages: messages.map(({ id, parent, ...rest }) => rest) });
  return records.map((record) => [record, fromFile(toMarkdown(record))[0], fromFile(toJson([record]))[0]].map(told));
}"""
ODD = [
    *("<!-- user -->", "\\<!-- assistant (m) -->", "<!-- user: 2 files -->", "<!-- reasoning -->", "<!-- answer -->"),
    *("", "  leading", "trailing  ", "\n\nblank\n\n", "a\r\nb\r\n", "\r", "\u2028<!-- user -->", "# heading", "`" * 9),
    *("``````text x\ny\n``````", "-- >", "-->", "plain **text**", "\t", "100% %25", "<!-- user --> x", "\ufeff"),
]  # fmt: skip


def odd_record(seed: int) -> dict[str, object]:
    """A conversation in the file's own words, and such as break a line."""
    chance = random.Random(seed)

    def some() -> str:
        return "\n".join(chance.choices(ODD, k=chance.randrange(4)))

    messages: list[dict[str, object]] = []
    for i in range(chance.randrange(1, 6)):
        role = ("user", "assistant")[i % 2]
        message: dict[str, object] = {
            "id": str(i),
            "parent": str(i - 1) if i else None,
            "role": role,
            "content": some(),
        }
        if role == "user" and chance.random() < 0.5:
            names = ("a.txt", "b `c`.md", "d\ne.txt", " -- .txt ", "100%.txt", "f --> g")
            message["files"] = [{"name": chance.choice(names), "text": some()} for _ in range(chance.randrange(1, 3))]
        if role == "assistant":
            message["model"] = chance.choice(("Model (2) 1B", "a--b", "x -->", "Fake 1M"))
            if thoughts := some():
                message |= {"reasoning": thoughts, "thought": 1.5}
            if chance.random() < 0.3:
                shown = [{"svg": some()}, {"columns": [some()], "rows": [[some()]], "count": 3}]
                run = {"output": some(), "value": some(), "error": some(), "shown": shown, "seconds": 0.5}
                call = {"id": some(), "name": some(), "arguments": some()}
                message["calls"] = [call, call | {"result": some(), "run": run}]
        messages.append(message)
    name = chance.choice(("A name", "# odd <!-- user -->", " spaced ", "", "two\nlines"))
    return {"id": "x", "name": name, "created": 1, "changed": 1, "messages": messages, "leaf": str(len(messages) - 1)}


def test_what_is_exported_is_read_back_as_it_was(page: Page, url: str, fake: Callable[..., None]) -> None:
    fake()
    ready(page, url)
    for written, markdown, json in page.evaluate(TRANSFER, [odd_record(seed) for seed in range(300)]):
        assert markdown == written
        assert json == written


@pytest.mark.parametrize("text", [
    '{"format": "py_wgml conversations", "version": 1, "conversations": [null]}',
    '{"format": "py_wgml conversations", "version": 1, "conversations": [{"messages": [{"role": "system"}]}]}',
    '{"format": "py_wgml conversations", "version": 1, "conversations": [{"name": "x", "messages": 5}]}',
    '{"format": "py_wgml conversations", "version": 1, "conversations": [{"messages": [null]}]}',
    '{"format": "other"}', "{", "# A file of another kind\n", "",
])  # fmt: skip
def test_a_file_that_is_none_of_ours_is_refused_in_a_line(
    page: Page, url: str, fake: Callable[..., None], text: str
) -> None:
    fake()
    ready(page, url)
    page.click("#transfer-button")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("menuitem", name="Import").click()
    chooser.value.set_files({"name": "odd.json", "mimeType": "application/json", "buffer": text.encode()})
    page.locator("#toasts", has_text=re.compile("odd.json")).wait_for()
    assert page.locator(".conversation").count() == 0


def test_a_file_that_is_too_large_is_refused_in_a_line(page: Page, url: str, fake: Callable[..., None]) -> None:
    fake()
    ready(page, url)
    page.evaluate("() => Object.defineProperty(File.prototype, 'size', { get: () => 6e8 })")
    page.click("#transfer-button")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("menuitem", name="Import").click()
    chooser.value.set_files({"name": "large.json", "mimeType": "application/json", "buffer": b"{}"})
    page.locator("#toasts", has_text="large.json is too large to import. The limit is 500 MB").wait_for()


def test_what_is_too_much_for_a_file_says_so(page: Page, url: str, fake: Callable[..., None]) -> None:
    fake()
    ready(page, url)
    page.evaluate("() => { JSON.stringify = () => { throw new RangeError('Invalid string length'); }; }")
    page.click("#transfer-button")
    page.get_by_role("menuitem", name="Export all").click()
    page.locator("#toasts", has_text="too much for one file").wait_for()
