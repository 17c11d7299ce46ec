"""The list of conversations put in order: pins, folders, an archive, and a search that shows what it found."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from page.pages import ask, ready, wait_answers
from page.test_conversations import KEEP, choose, import_files
from playwright.sync_api import BrowserContext, Locator, Page, expect

pytestmark = pytest.mark.slow

Fake = Callable[..., None]
SKY = "Blue light is scattered most. In the evening its way through the air is longer, and **red light** is left."


def kept(name: str, answer: str, **more: Any) -> dict[str, Any]:
    question = {"id": f"q {name}", "parent": None, "role": "user", "content": f"What of {name}?"}
    said = {"id": f"a {name}", "parent": f"q {name}", "role": "assistant", "content": answer}
    record = {"id": name, "name": name, "created": 0, "changed": 0, "messages": [question, said], "leaf": said["id"]}
    return {**record, **more}


def opened(page: Page, url: str, fake: Fake, *records: dict[str, Any]) -> None:
    fake(pieces=["Yes."])
    ready(page, url)
    page.evaluate(KEEP, list(records))
    page.reload()
    expect(page.locator("#conversations > li").first).to_be_visible()


LISTED = """(expected) => {
  const text = (row) => row.querySelector(".name")?.textContent ?? row.querySelector(".fold")?.childNodes[1].data;
  const rows = [...document.querySelectorAll("#conversations > li")].map((row) => text(row) ?? row.textContent);
  return JSON.stringify(rows) === JSON.stringify(expected);
}"""


def rows(page: Page, *expected: str) -> None:
    """Wait until the list has these headings and names, in this order."""
    page.wait_for_function(LISTED, arg=[*expected], timeout=30_000)


def write(page: Page, name: str) -> None:
    page.locator("#conversations input").fill(name)
    page.keyboard.press("Enter")
    expect(page.locator("#conversations input")).to_have_count(0)


def folder(page: Page, name: str) -> Locator:
    return page.locator(f".folding[data-folder='{name}']")


def test_pins_folders_and_an_archive(page: Page, url: str, fake: Fake, tmp_path: Path) -> None:
    opened(page, url, fake, *[kept(name, "Yes.", changed=i) for i, name in enumerate(("one", "two", "three"))])
    rows(page, "January 1970", "three", "two", "one")
    choose(page, "one", "Pin")
    rows(page, "Pinned", "one", "January 1970", "three", "two")
    expect(page.locator(".conversation", has_text="one").locator(".open")).to_be_focused()
    for name in ("two", "three"):
        choose(page, name, "Move to folder")
        if name == "two":
            page.keyboard.press("Enter")  # what the menu begins with: a new one
            write(page, "Work")
        else:
            expect(page.get_by_role("menuitem").first).to_be_focused()
            page.keyboard.press("Enter")
    rows(page, "Pinned", "one", "Work", "three", "two")
    # A folder is folded, named otherwise, and taken away with what is in it left.
    folder(page, "Work").locator(".fold").press("Enter")
    rows(page, "Pinned", "one", "Work")
    page.reload()
    expect(folder(page, "Work").locator(".fold")).to_have_attribute("aria-expanded", "false")
    folder(page, "Work").locator(".fold").press("Enter")
    folder(page, "Work").locator(".more").press("Enter")
    page.keyboard.press("Enter")
    write(page, "Play")
    expect(folder(page, "Play").locator(".count")).to_have_text("2")
    page.click("#transfer-button")
    with page.expect_download() as saved:
        page.click("text=Export all")
    saved.value.save_as(tmp_path / "all.json")
    records = {record["name"]: record for record in json.loads((tmp_path / "all.json").read_text())["conversations"]}
    assert records["one"]["pinned"] is True and records["two"]["folder"] == records["three"]["folder"] == "Play"
    folder(page, "Play").locator(".more").press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    rows(page, "Pinned", "one", "January 1970", "three", "two")
    page.click("#toasts button:has-text('Undo')")
    rows(page, "Pinned", "one", "Play", "three", "two")
    # What is archived is out of the way, and found; asked again, it is back.
    choose(page, "two", "Archive")
    rows(page, "Pinned", "one", "Play", "three", "Archived")
    page.fill("#search", "what of two")
    rows(page, "Archived", "two")
    page.locator(".conversation .open").click()
    page.fill("#search", "")
    ask(page, "And now?")
    wait_answers(page, 2)
    rows(page, "Pinned", "one", "Play", "two", "three")
    for name in ("one", "two", "three"):
        choose(page, name, "Delete")
    expect(page.locator("#conversations > li")).to_have_count(0)
    import_files(page, tmp_path / "all.json")
    rows(page, "Pinned", "one", "Play", "three", "two")


def test_what_one_tab_arranges_another_keeps(context: BrowserContext, url: str, fake: Fake) -> None:
    context.add_init_script("BroadcastChannel.prototype.postMessage = () => {};")
    one, other = context.new_page(), context.new_page()
    opened(one, url, fake, kept("one", "Yes."))
    one.locator(".conversation .open").click()
    wait_answers(one, 1)
    other.goto(one.url)
    wait_answers(other, 1)
    choose(one, "one", "Pin")
    rows(one, "Pinned", "one")
    ask(other, "more")  # by what it knows, it is not pinned
    wait_answers(other, 2)
    rows(other, "Pinned", "one")
    choose(other, "one", "Unpin")
    rows(other, "Today", "one")
    ask(one, "more")
    rows(one, "Today", "one")
    wait_answers(one, 2)
    choose(one, "one", "Pin")
    ask(other, "and more")  # what it has undone itself does not undo this
    wait_answers(other, 3)
    rows(other, "Pinned", "one")


def test_a_search_shows_the_place(page: Page, url: str, fake: Fake) -> None:
    long = "\n\n".join(f"Paragraph {i}." for i in range(200))
    aside = {"id": "aside", "parent": "q Weather", "role": "assistant", "content": f"{long}\n\nAn umbrella (really)."}
    weather = kept("Weather", long)
    weather["messages"].append(aside)
    opened(page, url, fake, kept("Colours", f"{long}\n\n{SKY}\n\n{long}"), weather)
    names, excerpt = page.locator(".conversation .name"), page.locator(".conversation .excerpt")
    # Words in any order, at the beginnings of words; a stranger's hand and case.
    page.fill("#search", "RED even")
    expect(names).to_have_text(["Colours"])
    expect(excerpt).to_contain_text("In the evening its way")
    expect(excerpt.locator("mark")).to_have_text(["even", "red"])
    expect(excerpt).to_contain_text("and red light is left")
    page.locator(".conversation .open").click()
    found = page.locator(".message.assistant strong", has_text="red light")
    expect(found).to_be_in_viewport()
    marked = "() => [...(CSS.highlights.get('found') ?? [])].map((range) => range.toString())"
    page.wait_for_function(f"({marked})().length > 1")
    assert page.evaluate(marked) == ["even", "red"]
    # In a branch that is not in view, and with characters that mean something to a pattern.
    page.fill("#search", "umbrella (really")
    expect(names).to_have_text(["Weather"])
    page.locator(".conversation .open").click()
    expect(page.locator(".message.assistant p", has_text="umbrella")).to_be_in_viewport()
    expect(page.locator(".message.assistant .branches")).to_contain_text("2 / 2")
    page.fill("#search", "nowhere")
    expect(page.locator("#no-conversations")).to_have_text("Nothing found.")
    page.fill("#search", "")
    expect(names).to_have_count(2)


NAMES = [
    ("**There** is `a**b**c` in __all__ of [it](https://example.com)", "There is a**b**c in all of it"),
    ("## What is 2 * 3 * 4, or snake_case_name?", "What is 2 * 3 * 4, or snake_case_name?"),
    ("\n\n- ~~one~~ *two*", "one two"),
    ("```python\nprint(1)\n```\nWhat does it do?", "print(1)"),
    ("> \u201c***so***\u201d", "\u201cso\u201d"),
    ("???", "???"),
]


def test_a_name_has_no_marks(page: Page, url: str, fake: Fake) -> None:
    fake()
    ready(page, url)
    named = page.evaluate(
        "async (texts) => { const { lineOf } = await import('./page/plain_text.js'); return texts.map(lineOf); }",
        [text for text, _ in NAMES],
    )
    assert named == [name for _, name in NAMES]
