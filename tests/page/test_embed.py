"""The examples of docs/site.md, pages that use the site, as they stand there; the engine is a double."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from page.pages import box_of
from playwright.sync_api import BrowserContext, Page, Route, expect

from py_wgml import protocol
from web.build import paths

pytestmark = pytest.mark.slow

PIECES = ["Paris", " is the ", "capital."]


def serve(code: str) -> Callable[[Route], None]:
    return lambda route: route.fulfill(body=code, content_type="text/html")


@pytest.fixture
def examples(context: BrowserContext, url: str, fake: Callable[..., None]) -> list[str]:
    """The addresses of the two pages, at which their code stands but for the address of the site in it."""
    fake(pieces=PIECES)
    found = re.findall(r"```html\n(.*?)```", (paths.ROOT / "docs/site.md").read_text(), re.DOTALL)
    pages = [code.replace("https://example.org/chat/", url) for code in found]
    for name, code in enumerate(pages):
        assert code != found[name]
        assert len(code.splitlines()) <= 10
        context.route(f"**/page{name}.html", serve(code))
    return [f"{url}page{name}.html" for name in range(len(pages))]


def test_the_chat_in_another_page(page: Page, examples: list[str], url: str) -> None:
    page.goto(examples[0])
    expect(page.locator("py-wgml-chat iframe")).to_have_attribute("title", "Chat with a small model")
    frame = page.frame_locator("py-wgml-chat iframe")
    frame.locator("body[data-state=ready]").wait_for()
    frame.locator("#prompt").fill("What is the capital of France?")
    frame.locator("#prompt").press("Enter")
    expect(frame.locator(".message.assistant .text")).to_contain_text("Paris is the capital.")
    page.evaluate("document.querySelector('py-wgml-chat').setAttribute('model', 'tiny')")
    frame = page.frame_locator(f"py-wgml-chat iframe[src='{url}?model=tiny']")
    frame.locator("body[data-state=ready]").wait_for()
    assert box_of(page.locator("py-wgml-chat"))["height"] > 500


def test_the_engine_in_the_words_of_openai(page: Page, examples: list[str], url: str) -> None:
    page.goto(examples[1])
    expect(page.locator("#answer")).to_have_text("".join(PIECES))
    answers = """async ([site, messages, options]) => {
      const client = await (await import(`${site}openai.js`)).load("tiny");
      const { create } = client.chat.completions;
      const whole = await create({ messages, temperature: 0, max_completion_tokens: 9, stop: "x" });
      const chunks = [];
      for await (const chunk of await create({ messages, stream: true, stream_options: { include_usage: true } })) {
        chunks.push(chunk);
      }
      const refused = await create({ messages, logprobs: true }).catch((error) => error.message);
      const taken = await create({ messages, ...Object.fromEntries(options.map((name) => [name, null])) });
      client.close();
      const closed = await create({ messages }).catch((error) => error.stage);
      return { whole, chunks, refused, taken, closed };
    }"""
    options = list(protocol.AnswerOptions.__annotations__)
    got = page.evaluate(answers, [url, [{"role": "user", "content": "one two three"}], options])
    assert got["taken"]["choices"] == got["whole"]["choices"]
    whole, chunks = got["whole"], got["chunks"]
    assert whole["object"] == "chat.completion"
    assert whole["choices"][0]["message"]["content"] == "".join(PIECES)
    assert whole["choices"][0]["finish_reason"] == "stop"
    assert whole["usage"]["total_tokens"] == whole["usage"]["prompt_tokens"] + whole["usage"]["completion_tokens"] == 6
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert {chunk["id"] for chunk in chunks} == {chunks[0]["id"]}
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    said = [choice["delta"].get("content", "") for chunk in chunks for choice in chunk["choices"]]
    assert "".join(said) == "".join(PIECES)
    assert [choice["finish_reason"] for choice in chunks[-2]["choices"]] == ["stop"]
    assert (chunks[-1]["choices"], chunks[-1]["usage"]) == ([], whole["usage"])
    assert got["refused"] == "not supported: logprobs"
    assert got["closed"] == "closed"
