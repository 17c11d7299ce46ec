"""A look inside an answer: with scripted replies, and with the real engine and a tiny random model."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from page.pages import ask, choose_of, fails, go_on, ready, wait_answers, wait_state
from playwright.sync_api import BrowserContext, Locator, Page, expect

pytestmark = pytest.mark.slow

TRACEBACK = "Traceback (most recent call last):\n  File \"llama.py, as rewritten\", line 2\nNameError: name 'y'"


def likely(*texts: str) -> list[dict[str, Any]]:
    return [{"text": text, "logprob": math.log(2.0**-i / 2)} for i, text in enumerate(texts)]


def token(text: str, share: float) -> dict[str, Any]:
    return {"text": text, "logprob": math.log(share), "likeliest": likely(" A", " B", " C", " D", " E")}


FOUND: dict[str, Any] = {
    "type": "inspected",
    "prompt": ["<|im_start|>", "Who", "?", "\n"],
    "answer": [token("Paris", 0.9), token(" is", 0.4), token(" <b>it</b>", 0.02)],
    "next": likely("."),
    "attending": [{"layer": 1, "heads": 2}, {"layer": 3, "heads": 4}],
}
RUNS: dict[str, Any] = {"type": "rewritten", "file": "llama.py", "original": "def forward(g, c):\n    return 1\n"}
REPLIES: dict[str, Any] = {
    "inspect": FOUND,
    "attend": {"type": "attended", "weights": [0.7, 0.1, 0.15, 0.05, 0, 0], "when": {
        "1": {"type": "attended", "weights": [0.1, 0.6, 0.1, 0.1, 0.1]},
    }},
    "profile": {"type": "profiled", "reason": None, "dispatches": [
        {"kernel": "linear_vector", "workgroups": [9, 1, 1], "count": 60, "seconds": 0.003},
        {"kernel": "attention_vector", "workgroups": [9, 1, 1], "count": 30, "seconds": 0.001},
    ]},
    "rewrite": {**RUNS, "text": RUNS["original"], "problem": None, "when": {
        "mine": {**RUNS, "text": "mine", "problem": None},
        "wrong": {**RUNS, "text": "mine", "problem": TRACEBACK},
    }},
}  # fmt: skip


def look(page: Page) -> Locator:
    choose_of(page.locator(".message.assistant").last, "Look inside")
    return page.locator("#inside")


def opened(page: Page, url: str, fake: Callable[..., None], **replies: Any) -> Locator:
    fake(pieces=["Paris", " is", " <b>it</b>"], replies={**REPLIES, **replies})
    ready(page, url)
    ask(page)
    wait_answers(page, 1)
    return look(page)


def test_tokens_and_attention(page: Page, context: BrowserContext, url: str, fake: Callable[..., None]) -> None:
    problems, asked = fails(page), list[str]()
    context.on("request", lambda request: asked.append(request.url))
    page.goto(url)
    wait_state(page, "loading")
    inside = opened(page, url, fake)
    tokens = inside.locator("[role=option]")
    expect(tokens).to_have_text(["Paris", " is", " <b>it</b>"])
    # Not by colour alone.
    assert [tokens.nth(i).get_attribute("data-sure") for i in range(3)] == ["high", "middle", "low"]
    detail = inside.locator(".detail").first
    expect(detail.locator(".of-token")).to_have_text("Paris, 90%")
    expect(detail.locator("tbody tr")).to_have_count(6)  # and chosen
    # The keyboard reaches each; so does a pointer, without choosing it.
    tokens.first.focus()
    page.keyboard.press("ArrowRight")
    expect(tokens.nth(1)).to_be_focused()
    expect(detail.locator(".of-token")).to_have_text("␣is, 40%")
    expect(inside.get_by_role("region", name="Where it looked").locator(".token")).to_have_count(6)
    expect(inside.locator("section").nth(1).locator("tbody tr").first).to_contain_text("Who")
    tokens.nth(2).hover()
    expect(detail.locator(".of-token")).to_have_text("␣<b>it</b>, 2%")
    page.mouse.move(1, 1)
    expect(detail.locator(".of-token")).to_have_text("␣is, 40%")
    page.keyboard.press("End")
    expect(inside.locator("section").nth(1).locator("tbody tr").first).to_contain_text("<|im_start|>")
    inside.get_by_label("Layer").select_option("1")
    assert inside.get_by_label("Head").locator("option").all_inner_texts() == ["average of all", "0", "1"]
    inside.locator("summary").first.click()
    expect(inside.locator("details").first.locator("tbody tr").first).to_contain_text("linear_vector")
    expect(inside.locator("details").first.locator("tbody tr").first).to_contain_text("3,000 \u03bcs")
    page.keyboard.press("Escape")
    expect(inside).to_be_hidden()
    assert not problems
    # Nothing of it comes before it is opened.
    first = next(i for i, address in enumerate(asked) if "/page/inside" in address)
    assert any("worker/" in address or "app.js" in address for address in asked[:first])


def test_its_python(page: Page, url: str, fake: Callable[..., None]) -> None:
    inside = opened(page, url, fake)
    inside.get_by_text("Its Python").click()
    area, status = inside.get_by_label("Python of the model"), inside.locator(".rewriting .status")
    expect(area).to_have_value(RUNS["original"])
    expect(status).to_have_text("The original is running.")
    expect(inside.locator(".rewriting .hljs-keyword").first).to_have_text("def")
    area.fill("mine")
    area.press("Control+Enter")
    expect(status).to_have_text("It works. The next answer will use it.")
    area.fill("wrong")
    inside.get_by_role("button", name="Run").click()
    expect(inside.locator(".traceback")).to_have_text(TRACEBACK)
    expect(area).to_have_value("wrong")  # what was typed stays, to be mended
    inside.get_by_role("button", name="Back to the original").click()
    expect(area).to_have_value(RUNS["original"])
    expect(inside.locator(".traceback")).to_be_hidden()


def test_where_there_is_nothing_to_see(page: Page, url: str, fake: Callable[..., None]) -> None:
    error = {"type": "error", "stage": "inspect", "message": "the answer is empty"}
    inside = opened(page, url, fake, inspect=error)
    expect(inside.get_by_role("alert")).to_have_text("the answer is empty")
    page.keyboard.press("Escape")
    # A model without attention, and a browser without a clock.
    page.evaluate("(replies) => new BroadcastChannel('script').postMessage({ replies })", {
        **REPLIES,
        "inspect": {**FOUND, "attending": []},
        "profile": {"type": "profiled", "dispatches": [], "reason": "no clock"},
    })  # fmt: skip
    inside = look(page)
    expect(inside).to_contain_text("no attention layers")
    inside.locator("summary").first.click()
    expect(inside).to_contain_text("does not say how long the GPU takes (no clock)")


def test_an_answer_without_a_word_is_not_looked_into(page: Page, url: str, fake: Callable[..., None]) -> None:
    fake(pieces=[{"hold": True}, "Paris"], replies=REPLIES)
    errors = fails(page)
    ready(page, url)
    ask(page)
    page.click("#stop")
    go_on(page)
    wait_answers(page, 1)
    inside = look(page)
    expect(page.locator(".toast")).to_have_text("Not answered. It will be sent with your next question.")
    expect(inside).to_be_hidden()
    assert errors == []


def test_with_the_engine(page: Page, url: str) -> None:
    """What it shows of a model at work, a layer that is left out, a mistake, and the original again."""
    problems = fails(page)
    page.add_init_script("localStorage.setItem('settings', JSON.stringify({ max_tokens: 6 }))")
    ready(page, url)
    ask(page, "Hello")
    wait_answers(page, 1)
    before = page.locator(".message.assistant").last.evaluate("(message) => message.source")
    inside = look(page)
    expect(inside.locator("[role=option]").first).to_be_visible()
    # Of a character in several tokens, the last one has it.
    assert "".join(inside.locator("[role=option]").all_text_contents()).replace("⋯", "") == before
    expect(inside.locator("section").nth(1).locator("tbody tr").first).to_contain_text("%")
    inside.get_by_text("Its Python").click()
    area, status = inside.get_by_label("Python of the model"), inside.locator(".rewriting .status")
    expect(status).to_have_text("The original is running.")
    text = area.input_value()
    area.fill(text.replace("in enumerate(ropes)", "in [*enumerate(ropes)][:1]"))
    inside.get_by_role("button", name="Run").click()
    expect(status).to_have_text("It works. The next answer will use it.")
    area.fill(text.replace("x = g.embed", "x = graph.embed"))
    inside.get_by_role("button", name="Run").click()
    expect(inside.locator(".traceback")).to_contain_text('File "llama.py, as rewritten", line')
    expect(inside.locator(".traceback")).to_contain_text("NameError: name 'graph' is not defined")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Regenerate").last.click()
    wait_answers(page, 1)
    expect(page.locator(".message.assistant .stats")).to_contain_text("tokens")
    inside = look(page)
    expect(inside.locator("[role=option]").first).to_be_visible()
    inside.get_by_text("Its Python").click()
    expect(status).to_have_text("Your version is running.")
    inside.get_by_role("button", name="Back to the original").click()
    expect(area).to_have_value(text)
    prompt_and_tokens(page, inside)
    assert not problems


def prompt_and_tokens(page: Page, inside: Locator) -> None:
    """What the model read, as the engine tells it."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    inside.get_by_text("What the model read").click()
    tokens = inside.get_by_role("listbox", name="Tokens of the prompt").get_by_role("option")
    detail = inside.locator(".raw .of-token")
    expect(detail).to_contain_text("#1 · id")
    inside.get_by_role("button", name="Copy token ids").click()
    page.wait_for_function("async () => (await navigator.clipboard.readText()).startsWith('[')")
    ids = json.loads(page.evaluate("navigator.clipboard.readText()"))
    expect(tokens).to_have_count(len(ids))
    expect(inside.locator(".raw .lead")).to_contain_text(f"then {inside.locator('.raw .answered').count()} of answer")
    expect(inside.locator(".raw .help")).to_have_count(0)  # as many as the engine had when it answered
    tokens.first.focus()
    page.keyboard.press("End")
    expect(tokens.last).to_be_focused()
    expect(detail).to_contain_text(f"#{len(ids)} · id {ids[-1]} · bytes ")
    inside.get_by_role("button", name="Copy the prompt").click()
    page.wait_for_function("async () => (await navigator.clipboard.readText()).includes('Hello')")
    prompt = page.evaluate("navigator.clipboard.readText()")
    drawn = "".join(inside.locator(".raw .token:not(.answered)").all_text_contents())
    assert prompt == drawn.replace("⏎", "").replace("⋯", "")
    inside.get_by_text("This chat as JSON").click()
    expect(inside.locator(".raw pre")).to_contain_text('"format": "py_wgml conversations"')
