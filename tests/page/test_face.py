"""How the page meets a visitor: the first visit, a load, figures of answers, marks in questions, a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from page.pages import ask, choose_of, ready, wait_answers
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from web.build.browser import Chromium

pytestmark = pytest.mark.slow

Fake = Callable[..., None]

LOADING = [{"stage": "download", "loaded": loaded, "total": 98_362_432} for loaded in (0, 41_000_000)]
BIG = {"type": "resolved", "model": {"name": "Big 2B", "url": "https://models.example/big.gguf", "bytes": 5e8}}
# What is written in a question, and what is seen of it: other than text between marks.
MARKS = [
    ("be **bold**, *quick* and `f(x)`", [("strong", "bold"), ("em", "quick"), ("code", "f(x)")]),
    ("2 * 3 * 4 and a_b_c, x**2 + y**2", []),
    ("`**not bold**`", [("code", "**not bold**")]),
    ("``a ` b`` <b>no</b>", [("code", "a ` b")]),
    ("**two\nlines**", []),
    ("* a list\n* of things", []),
]


def test_a_first_visit(page: Page, url: str, fake: Fake) -> None:
    """While the model loads it is told in the welcome, and above the composer once something is asked."""
    fake(progress=LOADING, pace=100, hang=True)
    page.goto(url)
    expect(page.locator("#welcome #status")).to_have_text("Downloading the model: 41 of 98 MB")
    expect(page.locator("#welcome #once")).to_be_visible()
    tiles = page.locator("#mark rect")
    expect(tiles.nth(0)).not_to_have_class("empty")
    expect(tiles.nth(6)).to_have_class("empty")
    column = "(element) => element.getBoundingClientRect().left"
    lefts = {page.locator(name).evaluate(column) for name in ("#mark", "#welcome h2", "#examples", "#composer")}
    assert len(lefts) == 1  # one column
    page.locator("#examples button").first.click()
    expect(page.locator(".dock #status")).to_be_visible()
    expect(page.locator("#welcome")).to_be_hidden()


def test_a_bigger_model_is_one_click_away(page: Page, url: str, fake: Fake) -> None:
    page.add_init_script("Object.defineProperty(navigator, 'deviceMemory', { value: 8 })")
    fake(room=True, replies={"resolve": BIG})
    ready(page, url)
    expect(page.locator("#bigger")).to_contain_text("is a small model")
    page.locator("#bigger button").click()
    expect(page.locator("#model-name")).to_have_text("Big 2B")


def test_figures_are_folded(page: Page, url: str, fake: Fake) -> None:
    fake(pieces=["one ", "two"])
    ready(page, url)
    ask(page)
    wait_answers(page, 1)
    answer = page.locator(".message.assistant")
    expect(answer.locator(".figures")).to_be_hidden()
    choose_of(answer, "Details")
    expect(answer.locator(".took")).to_contain_text("Time to first token")
    expect(answer.locator(".took")).to_contain_text("2 tokens")
    choose_of(answer, "Details")
    expect(answer.locator(".took")).to_have_count(0)
    page.click("#settings-button")
    page.click("#settings .choice:has-text('Show')")
    page.reload()
    expect(answer.locator(".figures")).to_be_visible()


def test_marks_in_questions_are_drawn(page: Page, url: str, fake: Fake) -> None:
    fake(pieces=["Yes."])
    ready(page, url)
    for index, (written, seen) in enumerate(MARKS):
        ask(page, written)
        wait_answers(page, index + 1)
        question = page.locator(".message.user .text").last
        drawn = "(text) => [...text.children].map((child) => [child.localName, child.textContent])"
        assert [tuple(pair) for pair in question.evaluate(drawn)] == seen, written
        if not seen:
            assert question.text_content() == written


def test_a_phone(chromium: Chromium, url: str) -> None:
    """Nothing brings its keyboard up by itself, and Return makes a new line, until it is set to send."""
    from web.build.browser import stand_in

    context = chromium.browser().new_context(
        service_workers="block", viewport={"width": 390, "height": 780}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    stand_in(context, pieces=["Yes."])
    ready(page, url)
    assert page.evaluate("document.activeElement === document.body")
    expect(page.locator("#bigger")).to_be_visible()
    assert page.locator("#scroller").evaluate("(scroller) => scroller.scrollTop") == 0  # read from its beginning
    page.tap("#sidebar-toggle")
    expect(page.locator("#sidebar-close")).to_be_focused()
    expect(page.locator("#shortcuts-button")).to_be_hidden()
    page.tap("#new-chat")
    expect(page.locator("#sidebar")).to_be_hidden()
    page.fill("#prompt", "one")
    page.press("#prompt", "Enter")
    expect(page.locator("#prompt")).to_have_value("one\n")
    page.tap("#send")
    wait_answers(page, 1)
    page.tap("#sidebar-toggle")
    page.tap("#settings-button")
    page.tap("#settings .choice:has-text('Sends')")
    page.tap("#settings .close")
    page.tap("#sidebar-close")
    ask(page, "two")
    wait_answers(page, 2)
    context.close()
