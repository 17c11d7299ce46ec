"""Titles that the model finds: what becomes of what it writes, and that nobody waits for one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from page.pages import ask, ready, wait_answers
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.slow

ON = "localStorage.setItem('titles', 'on');"
SENT = """
  window.sent = [];
  const post = Worker.prototype.postMessage;
  Worker.prototype.postMessage = function (message, ...rest) {
    if (message.type === "send" || message.type === "stop") window.sent.push(message);
    return post.call(this, message, ...rest);
  };
"""
TITLES = [
    ('"Capital of **France**."', "Capital of France"),
    ("Title: Paris\nIt is about Paris.", "Paris"),
    ("", "What is the capital of France?"),
    ("«Столица Франции»", "Столица Франции"),
]


@pytest.mark.parametrize(("written", "name"), TITLES, ids=["marks", "lines", "none", "quotes"])
def test_a_title(page: Page, url: str, fake: Callable[..., None], written: str, name: str) -> None:
    page.add_init_script(ON + SENT)
    fake(answers=[["It is Paris."], [written], ["More."], ["Another title"]], thinking="on")
    ready(page, url)
    ask(page)
    wait_answers(page, 1)
    page.wait_for_function("window.sent.length === 2")
    answer, title = page.evaluate("window.sent")
    assert title["messages"][: len(answer["messages"])] == answer["messages"]
    assert title["messages"][-2]["content"] == "It is Paris." and title["messages"][-1]["role"] == "user"
    assert title["sampling"]["max_tokens"] == 12 and title["sampling"]["temperature"] == 0
    assert title["sampling"]["chat_template_kwargs"] == {"enable_thinking": False}
    expect(page.locator(".conversation .name")).to_have_text([name])
    ask(page, "And then?")
    wait_answers(page, 2)
    page.reload()  # it is kept, and no second one is asked for
    expect(page.locator(".conversation .name")).to_have_text([name])


def test_it_yields_to_a_question(page: Page, url: str, fake: Callable[..., None]) -> None:
    page.add_init_script(ON + SENT)
    fake(answers=[["Yes."], ["word "] * 2000, ["No."], ["Of ", "questions"]], pace=20)
    ready(page, url)
    ask(page, "Is it?")
    wait_answers(page, 1)
    page.wait_for_function("window.sent.length === 2")
    ask(page, "Is it not?")
    wait_answers(page, 2)
    assert page.evaluate("window.sent.map(({ type }) => type)")[:4] == ["send", "send", "stop", "send"]
    expect(page.locator(".conversation .name")).to_have_text(["Of questions"])


def test_a_tiny_model_is_not_asked(page: Page, url: str, fake: Callable[..., None]) -> None:
    page.add_init_script(SENT)
    fake(pieces=["Yes."])
    ready(page, url)
    for count in (1, 2):
        ask(page, "Is it?")
        wait_answers(page, count)
    assert page.evaluate("window.sent.length") == 2
