"""What a stranger wants of the page, by the way that lies open: each task with its clicks and keys counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from page import documents
from page.pages import DROP, QUESTION, ask, ready, sent, wait_answers, wait_state
from playwright.sync_api import Page, expect

Fake = Callable[..., Any]
EARLIER = "const now = Date.now.bind(Date); Date.now = () => now() - {days} * 86_400_000;"


class Hand:
    """A visitor's hand, which counts what it does."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = self.keys = self.texts = self.drops = 0

    def click(self, selector: str) -> None:
        """Click on what is there to be seen."""
        self.clicks += 1
        self.page.locator(selector).first.click()

    def press(self, key: str) -> None:
        """Press a key, wherever the focus is."""
        self.keys += 1
        self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Type where the focus is."""
        self.texts += 1
        self.page.keyboard.type(text)

    def drop(self, path: Path) -> None:
        """Drop a file on the page."""
        self.drops += 1
        self.page.evaluate(DROP, [path.name, list(path.read_bytes())])

    def choose(self, selector: str, path: Path) -> None:
        """Click on what asks for a file, and choose one."""
        with self.page.expect_file_chooser() as chooser:
            self.click(selector)
        chooser.value.set_files(path)


@contextmanager
def task(page: Page, name: str, **allowed: int) -> Iterator[Hand]:
    """The hand that does it, with no more clicks, keys, texts and drops than are allowed."""
    hand, began = Hand(page), time.monotonic()
    yield hand
    done = {what: count for what in ("clicks", "keys", "texts", "drops") if (count := getattr(hand, what))}
    print(f"{name}: {', '.join(f'{count} {what}' for what, count in done.items())}, {time.monotonic() - began:.1f} s")
    assert done == allowed


def test_ask_the_first_question(page: Page, url: str, fake: Fake) -> None:
    """The field has the focus from the beginning, and what is asked while the model loads, is answered then."""
    fake(progress=[{"stage": "download", "loaded": 1, "total": 2}], pace=300, pieces=["Paris", "."])
    page.goto(url)
    with task(page, "ask the first question", texts=1, keys=1) as hand:
        hand.type(QUESTION)
        hand.press("Enter")
        wait_answers(page, 1)
    expect(page.locator(".message.assistant")).to_contain_text("Paris.")


def test_load_a_model_of_one_s_own(page: Page, url: str, fake: Fake, dist: Path, tmp_path: Path) -> None:
    """The file is dropped on the page, or chosen in the list of models."""
    own = next(dist.glob("models/*.gguf"))
    mine, other = tmp_path / "mine.gguf", tmp_path / "other.gguf"
    mine.write_bytes(own.read_bytes())
    other.write_bytes(own.read_bytes())
    fake(room=True, kept=False)
    ready(page, url)
    with task(page, "drop a model", drops=1) as hand:
        hand.drop(mine)
        expect(page.locator("#model-name")).to_have_text("mine")
        wait_state(page, "ready")
    with task(page, "choose a model's file", clicks=2) as hand:
        hand.click("#model-button")
        hand.choose("#models button:has-text('file')", other)
        expect(page.locator("#model-name")).to_have_text("other")
        wait_state(page, "ready")


def test_find_last_week_s_chat(page: Page, url: str, fake: Fake) -> None:
    fake(pieces=["Some wine, three minutes."])
    page.add_init_script(EARLIER.format(days=5))
    ready(page, url)
    ask(page, "How long do I cook risotto?")
    wait_answers(page, 1)
    page.add_init_script(EARLIER.format(days=-5))
    page.goto(url)
    wait_state(page, "ready")
    for number, question in enumerate(("Which trees grow fast?", "What is a monad?"), 1):
        ask(page, question)
        wait_answers(page, number)
    page.goto(url)
    wait_state(page, "ready")
    with task(page, "find last week's chat", keys=1, texts=1, clicks=1) as hand:
        hand.press("Control+k")
        hand.type("risotto")
        hand.click(".conversation .open:has-text('risotto')")
        expect(page.locator(".message.user")).to_contain_text("risotto")
    with task(page, "find it with the mouse", texts=1, clicks=2) as hand:
        page.fill("#search", "")
        hand.click("#search")
        hand.type("minutes")  # which was said in the answer
        hand.click(".conversation .open:has-text('risotto')")
        expect(page.locator(".message.assistant")).to_contain_text("three minutes")


def test_ask_about_a_pdf(page: Page, url: str, fake: Fake, tmp_path: Path) -> None:
    """It is dropped on the page, or chosen; the model reads its text."""
    fake(echo=True, context=100_000)
    ready(page, url)
    report = tmp_path / "report.pdf"
    report.write_bytes(documents.pdf(["# Report\nThe company sold 4,000 heat pumps."]))
    with task(page, "ask about a PDF, dropped", drops=1, texts=1, keys=1) as hand:
        hand.drop(report)
        expect(page.locator("#attached")).to_contain_text("report.pdf")
        hand.type("How many heat pumps?")
        hand.press("Enter")
        wait_answers(page, 1)
    assert "sold 4,000 heat pumps" in sent(page)["messages"][-1]["content"]
    page.click("#new-chat")
    with task(page, "ask about a PDF, chosen", clicks=1, texts=1, keys=1) as hand:
        hand.choose("#attach", report)
        hand.type("How many heat pumps?")
        hand.press("Enter")  # while it is still being read, too
        wait_answers(page, 1)
    assert "sold 4,000 heat pumps" in sent(page)["messages"][-1]["content"]


def test_hand_a_conversation_to_a_colleague(page: Page, url: str, fake: Fake, tmp_path: Path) -> None:
    """As one file, which a colleague opens without this page."""
    fake(pieces=["Four ", "thousand."])
    ready(page, url)
    ask(page, "How many heat pumps?")
    wait_answers(page, 1)
    with task(page, "hand a conversation to a colleague", clicks=3) as hand:
        hand.click(".conversation .more")
        hand.click("[role=menuitem]:has-text('Share')")
        with page.expect_download() as download:
            hand.click("#share button:has-text('Save')")
    shared = tmp_path / "shared.html"
    download.value.save_as(shared)
    page.goto(shared.as_uri())
    expect(page.locator("body")).to_contain_text("How many heat pumps?")
    expect(page.locator("body")).to_contain_text("Four thousand.")
