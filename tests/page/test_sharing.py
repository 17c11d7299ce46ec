"""A conversation as one file: drawn, closed in itself, small; what goes into it is chosen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from page.pages import ask, fails, ready, wait_answers
from page.test_conversations import choose
from playwright.sync_api import BrowserContext, Page, expect

pytestmark = pytest.mark.slow

ANSWER = r"""It is **so** <b>marked</b>: $E = mc^2$, and

$$\int_0^1 x\,dx = \frac{1}{2}$$

```python
def half(x):
    return x / 2  # <script>alert(1)</script>
```

| a | b |
|---|---|
| 1 | 2 |

See [this](https://example.com/x)."""
DOUBLE = """
  navigator.canShare = ({ files }) => files.every((file) => file instanceof File);
  navigator.share = async ({ files: [file], title }) => {
    window.shared = [file.name, file.type, title, await file.text()];
  };
"""


def saved(page: Page, folder: Path) -> Path:
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the file").click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_one_file_that_opens_anywhere(
    page: Page, context: BrowserContext, url: str, fake: Callable[..., None], tmp_path: Path
) -> None:
    problems = fails(page)
    page.add_init_script("localStorage.setItem('settings', JSON.stringify({ system: 'Be brief, Hal.' }))")
    fake(answers=[[{"reasoning": "Let me see."}, *ANSWER.partition("\n")]])
    ready(page, url)
    ask(page, "What is <i>this</i>?\nTell me.")
    wait_answers(page, 1)
    choose(page, "What is", "Share as a web page")
    expect(page.get_by_role("button", name="Save the file")).to_be_focused()
    path = saved(page, tmp_path)
    assert path.name == "What is ithisi.html"
    text = path.read_text()
    assert len(text) < 60_000 and "<script" not in text.lower() and "Hal" not in text and "Let me see" not in text
    choose(page, "What is", "Share as a web page")
    page.get_by_label("Include the system prompt").check()
    page.get_by_label("Include what the model thought").check()
    text = saved(page, tmp_path).read_text()
    assert "Be brief, Hal." in text and "Let me see." in text
    assert not problems

    # Another person's browser, which reaches nothing.
    asked, said = list[str](), list[str]()
    other = context.new_page()
    other.on("request", lambda request: asked.append(request.url))
    other.on("console", lambda message: said.append(message.text))
    other.goto(path.as_uri())
    expect(other.locator("h1")).to_have_text("What is <i>this</i>?")
    expect(other.locator(".user .said")).to_have_text("What is <i>this</i>?\nTell me.")
    expect(other.locator(".about")).to_contain_text("tiny")
    expect(other.locator(".assistant strong")).to_have_text("so")
    expect(other.locator("math")).to_have_count(2)
    expect(other.locator("math[display=block] mfrac")).to_have_count(1)
    expect(other.locator("td")).to_have_text(["1", "2"])
    expect(other.locator("a")).to_have_attribute("rel", "noopener noreferrer")
    expect(other.locator(".hljs-keyword").first).to_have_text("def")
    expect(other.locator("button, svg, .katex-html")).to_have_count(0)
    look = "() => ['body', '.hljs-keyword'].map((part) => getComputedStyle(document.querySelector(part)))"
    paper, keyword = other.evaluate(f"({look})().map((style) => [style.backgroundColor, style.color])")
    assert paper[0] == "rgb(250, 248, 243)" and keyword[1] != paper[1]
    other.emulate_media(color_scheme="dark")
    assert other.evaluate(f"({look})()[0].backgroundColor") == "rgb(22, 21, 15)"
    assert asked == [path.as_uri()] and said == []
    other.set_viewport_size({"width": 320, "height": 600})
    assert other.evaluate("document.documentElement.scrollWidth") <= 320


def test_it_goes_where_the_device_sends_it(page: Page, url: str, fake: Callable[..., None]) -> None:
    page.add_init_script(DOUBLE)
    fake(pieces=["Yes."])
    ready(page, url)
    ask(page, "Is it?")
    wait_answers(page, 1)
    choose(page, "Is it", "Share as a web page")
    page.get_by_role("button", name="Share…").click()
    expect(page.locator("#share")).to_be_hidden()
    name, kind, title, text = page.evaluate("window.shared")
    assert (name, kind, title) == ("Is it.html", "text/html", "Is it?")
    assert text.startswith("<!doctype html>") and "Yes." in text
    # The visitor thinks better of it: nothing is said. It fails: one line.
    for error, toasts in (("AbortError", 0), ("NotAllowedError", 1)):
        page.evaluate("(name) => (navigator.share = async () => { throw new DOMException('no', name); })", error)
        choose(page, "Is it", "Share as a web page")
        page.get_by_role("button", name="Share…").click()
        expect(page.locator(".toast", has_text="could not be made")).to_have_count(toasts)
        page.keyboard.press("Escape")
