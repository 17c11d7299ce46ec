"""The page's own behaviour, with a test double of the engine where the real one can't show the state."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from page.pages import ask, go_on, ready, wait_answers, wait_state
from playwright.sync_api import BrowserContext, Page, expect

pytestmark = pytest.mark.slow

Fake = Callable[..., None]

LOADING = [
    {"stage": "runtime", "loaded": 0, "total": 1},
    {"stage": "download", "loaded": 0, "total": 98_362_432},
    {"stage": "download", "loaded": 41_000_000, "total": 98_362_432},
]


def test_enter_sends_and_shift_enter_breaks_the_line(page: Page, url: str, fake: Fake) -> None:
    fake(pieces=["Yes."])
    ready(page, url)
    page.press("#prompt", "Enter")
    expect(page.locator(".message")).to_have_count(0)  # nothing to send
    page.type("#prompt", "one")
    page.press("#prompt", "Shift+Enter")
    page.type("#prompt", "two")
    expect(page.locator(".message")).to_have_count(0)
    page.press("#prompt", "Enter")
    wait_answers(page, 1)
    assert page.locator(".message.user .text").text_content() == "one\ntwo"
    expect(page.locator("#prompt")).to_have_value("")


def test_enter_that_ends_a_composition_does_not_send(page: Page, url: str, fake: Fake) -> None:
    fake()
    ready(page, url)
    page.fill("#prompt", "かな")
    event = "new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true, cancelable: true})"
    page.evaluate(f"document.querySelector('#prompt').dispatchEvent({event})")
    expect(page.locator("#prompt")).to_have_value("かな")
    expect(page.locator(".message")).to_have_count(0)


def test_loading_is_told_in_bytes(page: Page, url: str, fake: Fake) -> None:
    fake(progress=LOADING, pace=600, hang=True)
    page.goto(url)
    expect(page.locator("#status")).to_have_text("Downloading the model: 41 of 98 MB")
    expect(page.locator("#detail")).to_contain_text("MB/s")
    assert 0.1 < page.locator("#overall").evaluate("(bar) => bar.value") < 0.6


def test_a_queued_question_can_be_taken_back(page: Page, url: str, fake: Fake) -> None:
    fake(progress=LOADING, hang=True)
    page.goto(url)
    ask(page, "Too early")
    expect(page.locator(".message.assistant .stats")).to_have_text("Will be sent as soon as the model is ready.")
    page.click("#stop")
    expect(page.locator(".message")).to_have_count(0)
    expect(page.locator("#prompt")).to_have_value("Too early")


def test_a_crashed_worker_is_explained_and_the_conversation_survives(page: Page, url: str, fake: Fake) -> None:
    fake(crash="out of memory")
    page.goto(url)
    wait_state(page, "error")
    expect(page.locator("#error")).to_contain_text("out of memory")
    ask(page, "Are you there?")
    fake(pieces=["Yes."])
    page.click("#problem .retry")
    wait_answers(page, 1)
    expect(page.locator(".message.assistant .text")).to_have_text("Yes.")


def test_a_lost_gpu_is_no_unsupported_browser(page: Page, url: str, fake: Fake) -> None:
    fake(fail={"stage": "gpu", "message": "The GPU stopped working: out of memory"})
    page.goto(url)
    wait_state(page, "error")
    expect(page.locator("#error")).to_have_text("The GPU stopped working: out of memory.")
    fake()
    page.click("#problem .retry")
    wait_state(page, "ready")


def test_a_failed_answer_leaves_the_engine_usable(page: Page, context: BrowserContext, url: str, fake: Fake) -> None:
    fake(pieces=[], fail_answer={"stage": "send", "message": "The question is longer than the context."})
    ready(page, url)
    ask(page)
    wait_state(page, "ready")
    expect(page.locator("#error")).to_have_text("The question is longer than the context.")
    expect(page.locator("#problem button:visible")).to_have_count(0)
    expect(page.locator(".message.assistant .stats")).to_contain_text("Not answered.")
    ask(page, "Shorter?")
    wait_answers(page, 2)


def test_scrolling_up_is_respected(page: Page, url: str, fake: Fake) -> None:
    lines = [f"Line {i}\n" for i in range(300)]
    fake(pieces=[*lines[:61], {"hold": True}, *lines[61:161], {"hold": True}, *lines[161:]], pace=5)
    ready(page, url)
    ask(page)
    # As painted: what a frame's tasks draw is followed when it is laid out.
    gap = """(s) => new Promise((done) => requestAnimationFrame(() => {
      const observer = new ResizeObserver(() => done(s.scrollHeight - s.clientHeight - s.scrollTop));
      observer.observe(s);
    }))"""
    scroller = page.locator("#scroller")
    expect(page.locator(".message.assistant .text")).to_contain_text("Line 60")
    assert scroller.evaluate(gap) < 60  # it follows the end
    scroller.hover()
    page.mouse.wheel(0, -300)
    expect(page.locator("#to-end")).to_be_visible()
    top = scroller.evaluate("(s) => s.scrollTop")
    go_on(page)
    expect(page.locator(".message.assistant .text")).to_contain_text("Line 160")
    assert scroller.evaluate("(s) => s.scrollTop") == top  # the reader is left where they read
    page.click("#to-end")
    expect(page.locator("#to-end")).to_be_hidden()
    go_on(page)
    wait_answers(page, 1)
    assert scroller.evaluate(gap) < 60


def test_a_screen_reader_hears_each_sentence_once(page: Page, url: str, fake: Fake) -> None:
    fake(pieces=["It is", " Paris", ". It lies", " on the", " Seine", "."], pace=30)
    ready(page, url)
    ask(page)
    wait_answers(page, 1)
    heard = page.locator("#announcer p").all_text_contents()
    assert [line.strip() for line in heard[-2:]] == ["It is Paris.", "It lies on the Seine."]
    expect(page.locator("#messages")).to_have_attribute("aria-live", "off")


def test_nothing_overflows_a_phone(page: Page, url: str, fake: Fake) -> None:
    fake(pieces=["A" * 400])
    page.set_viewport_size({"width": 360, "height": 640})
    ready(page, url)
    ask(page, "B" * 200)
    wait_answers(page, 1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    expect(page.locator("#new-chat-bar")).to_be_in_viewport(ratio=1)
    expect(page.locator("#send")).to_be_in_viewport(ratio=1)
