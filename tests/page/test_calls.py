"""What a model calls: shown in its answer, kept with it, and sent with the next question."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from page.pages import ask, ready, wait_answers
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.slow

CALLS = [
    {"index": 0, "id": "call_a", "name": "weather", "arguments": ""},
    {"index": 0, "id": "", "name": "", "arguments": '{"city": "<b>R'},
    {"index": 0, "id": "", "name": "", "arguments": 'ome"}'},
    {"index": 1, "id": "call_b", "name": "now", "arguments": "{"},
]
PROMPT = """async ([calls, question]) => {
  const { Conversation } = await import("./page/conversation.js");
  const conversation = new Conversation();
  const first = conversation.add({ parent: null, role: "user", content: question });
  const answer = conversation.add({ parent: first.id, role: "assistant", content: "I look.", calls });
  const last = conversation.add({ parent: answer.id, role: "user", content: "And?" });
  const next = conversation.add({ parent: last.id, role: "assistant", content: "" });
  const sent = conversation.prompt(next, "");
  conversation.take(next, { text: "", reasoning: "", recast: false, calls: [], dropped: sent.length - 1 });
  return { sent, first: conversation.record.first === last.id };
}"""


def test_calls_are_shown_and_kept(page: Page, url: str, fake: Callable[..., None]) -> None:
    fake(pieces=["Let me ", "look.", *({"calls": [call]} for call in CALLS)])
    ready(page, url)
    ask(page)
    wait_answers(page, 1)
    for _ in range(2):
        answer = page.locator(".message.assistant")
        expect(answer.locator(".text")).to_have_text("Let me look.")
        expect(answer.locator(".call summary")).to_have_text(["Called weather", "Called now"])
        answer.locator(".call summary").first.click()
        expect(answer.locator(".call pre:not(.output)").first).to_have_text('{\n  "city": "<b>Rome"\n}')
        answer.locator(".call summary").last.click()
        expect(answer.locator(".call pre:not(.output)").last).to_have_text("{")
        page.wait_for_timeout(300)
        page.reload()
        page.wait_for_selector("body[data-state=ready]")


def test_calls_are_sent_with_their_results(page: Page, url: str, fake: Callable[..., None]) -> None:
    """Those without one are words: a model's template takes no calls without results."""
    fake()
    ready(page, url)
    done = {"id": "a", "name": "weather", "arguments": "{}", "result": "21"}
    open_call = {"id": "b", "name": "now", "arguments": "{"}
    got = page.evaluate(PROMPT, [[done, open_call], "Warm?"])
    call = {"id": "a", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    assert got["sent"] == [
        {"role": "user", "content": "Warm?"},
        {"role": "assistant", "content": "I look.\nnow({)", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "a", "content": "21"},
        {"role": "user", "content": "And?"},
    ]
    assert got["first"]
