"""How answers are shown: Markdown as it streams, made harmless; reasoning; what can be done with a message."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from page.pages import ask, choose_of, fails, go_on, ready, sent, wait_answers, wait_state
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

pytestmark = pytest.mark.slow

Fake = Callable[..., None]

RICH = r"""# Roots

The **discriminant** is $D = b^2 - 4ac$; it costs $5 or $10 (or $ 7$).

$$
x = \frac{-b \pm \sqrt{D}}{2a}

$$

| $D$ | roots |
| --- | ----: |
| > 0 | 2 |

```python
def roots(a):
    return "two"  # of them
```

- [x] done
- one\
  two \(y_1\)

Last line
broken here, and \[z\].
"""
HOSTILE = """Hello <b onclick="window.pwned=1">bold</b> <script>window.pwned=1</script>
<img src="https://elsewhere.example/a.png" onerror="window.pwned=1"> ![picture](https://elsewhere.example/b.png)
<style>body{display:none}</style><form action="https://elsewhere.example"><input name="key"><button>Go</button></form>
[link](javascript:window.pwned=1) <a href="https://elsewhere.example" onclick="window.pwned=1">away</a>
<iframe src="https://elsewhere.example"></iframe><svg onload="window.pwned=1"></svg>
<details open ontoggle="window.pwned=1"><summary id="prompt" class="toast" style="left:0">more</summary></details>

```html"><img src=x onerror=window.pwned=1>
<script>window.pwned=1</script>
```

$\\href{javascript:window.pwned=1}{x}$ $\\includegraphics{https://elsewhere.example/c.png}$ $\\htmlId{prompt}{x}$

The end."""


def pieces(text: str) -> list[str]:
    """The text in pieces as small as tokens."""
    return re.findall(r"\s*\S{1,6}|\s+", text)


def action(message: Locator, name: str) -> Locator:
    """A button of a message."""
    return message.locator(f'.actions [aria-label="{name}"]')


def test_markdown_streams_in_without_touching_what_stands(
    page: Page, context: BrowserContext, url: str, fake: Fake
) -> None:
    problems = fails(page)
    requests: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    context.on("request", lambda request: requests.append(request.url))
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    fake(pieces=pieces(RICH), pace=15)
    ready(page, url)
    assert not [asked for asked in requests if "katex" in asked or "highlight" in asked]  # not before they are needed
    ask(page)
    text = page.locator(".message.assistant .text")
    text.locator("h1").wait_for()
    # What a reader has selected stays selected, and what stands is never made anew.
    page.evaluate("""() => {
      const heading = document.querySelector(".text h1");
      getSelection().selectAllChildren(heading);
      window.heading = heading;
      window.removed = [];
      new MutationObserver((records) => {
        for (const { removedNodes } of records)
          for (const node of removedNodes) if (node instanceof Element) removed.push(node.outerHTML);
      }).observe(document.querySelector(".text"), { childList: true });
    }""")
    wait_answers(page, 1)
    text.locator(".katex").first.wait_for()
    expect(text.locator(".hljs-keyword").first).to_have_text("def")
    assert page.evaluate("heading.isConnected && getSelection().toString()") == "Roots"
    # Blocks change into others (a paragraph into a table) once each, when their kind is known.
    assert len(page.evaluate("removed")) <= 6
    expect(text.locator("h1")).to_have_text("Roots")
    expect(text.locator("strong")).to_have_text("discriminant")
    expect(text.locator("td").last).to_have_text("2")
    expect(text.locator("p").nth(0)).to_contain_text("it costs $5 or $10 (or $ 7$).")
    assert text.locator("[data-formula]").count() == 5
    assert text.locator(".katex-display .mfrac").count() == 1
    expect(text.locator("li").first).to_contain_text("☑ done")
    assert text.locator("p br").count() == 1
    gaps = """(root) => [...root.children].slice(1).map((block) =>
      block.getBoundingClientRect().top - block.previousElementSibling.getBoundingClientRect().bottom)"""
    assert all(0 < gap < 30 for gap in text.evaluate(gaps))
    page.click(".copy-code")
    assert page.evaluate("navigator.clipboard.readText()") == 'def roots(a):\n    return "two"  # of them\n'
    message = page.locator(".message.assistant")
    action(message, "Copy").click()
    assert page.evaluate("navigator.clipboard.readText()") == RICH
    fonts = page.evaluate("document.fonts.check('1em KaTeX_Main')")
    assert fonts
    assert not problems, problems
    assert {urlsplit(asked).netloc for asked in requests} == {urlsplit(url).netloc}


def count_drawing(context: BrowserContext) -> None:
    """Have the page's `drawn` hold every HTML that was drawn, `coloured` every code."""

    def watched(method: str, calls: str) -> Callable[[Route], None]:
        def handler(route: Route) -> None:
            response = route.fetch()
            text = response.text()
            owner = (re.findall(r"export ?\{ ?(\w+) as default", text) or ["DOMPurify"])[0]
            call = f"(text, ...rest) => ({calls}.push(text), real.call({owner}, text, ...rest))"
            body = f"{text}\n{{ const real = {owner}.{method}; {owner}.{method} = {call}; }}"
            route.fulfill(response=response, body=body)

        return handler

    context.add_init_script("window.drawn = []; window.coloured = [];")
    context.route("**/lib/purify.min.js", watched("sanitize", "drawn"))
    context.route("**/lib/highlight.min.js", watched("highlight", "coloured"))


def test_a_finished_block_is_drawn_once(page: Page, context: BrowserContext, url: str, fake: Fake) -> None:
    count_drawing(context)
    blocks = [f"Paragraph {i} with a *few* words.\n\n```python\ncode = {i}\n```\n\n" for i in range(30)]
    fake(pieces=[piece for block in blocks for piece in pieces(block)], pace=2)
    ready(page, url)
    ask(page)
    wait_answers(page, 1)
    text = page.locator(".message.assistant .text")
    expect(text.locator(".hljs-number")).to_have_count(30)
    drawn, coloured = page.evaluate("[drawn, coloured]")
    for about, drawings in (("Paragraph", drawn), ("code =", coloured)):
        # Each is drawn while it grows, and once more when it is finished; never again when the next one is.
        order = [int(found) for text in drawings for found in re.findall(rf"{about} (\d+)\b", text)[-1:]]
        assert set(order) == set(range(30))
        assert all(after - before >= -1 for before, after in itertools.pairwise(order))
        assert sum(len(re.findall(about, text)) for text in drawings) <= len(drawings)  # one at a time


def test_a_flood_of_tokens_is_drawn_a_frame_at_a_time(
    page: Page, context: BrowserContext, url: str, fake: Fake
) -> None:
    count_drawing(context)
    fake(pieces=["word "] * 5000, context=10**6)
    ready(page, url)
    ask(page)
    wait_answers(page, 1)
    expect(page.locator(".message.assistant .text")).to_have_text(("word " * 5000).strip())
    assert page.evaluate("drawn.length") < 1000


def test_what_comes_at_once_is_drawn_in_steps(page: Page, context: BrowserContext, url: str, fake: Fake) -> None:
    count_drawing(context)
    fake(pieces=["".join(f"Paragraph {i}.\n\n" for i in range(500))])
    ready(page, url)
    ask(page)
    wait_answers(page, 1)
    expect(page.locator(".message.assistant .text p")).to_have_count(500)
    assert page.evaluate("Math.max(...drawn.map((html) => html.length))") < 100
    assert page.evaluate("drawn.length") < 510


def test_what_a_model_writes_does_no_harm(page: Page, context: BrowserContext, url: str, fake: Fake) -> None:
    hosts: set[str] = set()
    context.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    fake(pieces=pieces(HOSTILE))
    ready(page, url)
    ask(page)
    wait_answers(page, 1)
    text = page.locator(".message.assistant .content > .text")
    expect(text).to_contain_text("The end.")
    text.locator("[data-formula] > span").first.wait_for()
    assert text.locator("script, img, style, form, input, iframe, svg:not([aria-hidden]), [onclick], [id]").count() == 0
    attributes = "(root) => [...root.querySelectorAll('*')].flatMap(({ attributes }) => [...attributes])"
    found = text.evaluate(f"{attributes}.map(({{ name, value }}) => [name, value])")
    assert not [name for name, value in found if name.startswith("on") or "javascript:" in value]
    expect(text.locator("a", has_text="picture")).to_have_attribute("href", "https://elsewhere.example/b.png")
    expect(text.locator("a", has_text="away")).to_have_attribute("rel", "noopener noreferrer")
    assert page.evaluate("window.pwned") is None
    assert hosts == {urlsplit(url).netloc}


def test_what_was_shown_as_text_turns_out_to_be_thought(page: Page, url: str, fake: Fake) -> None:
    """A closing mark without an opening one."""
    last = {"reasoning": " Well.", "text": "Four.", "recast": True}
    fake(pieces=["Let me ", "see.", last], pace=200)
    page.goto(url)
    ask(page, "2 + 2?")
    wait_answers(page, 1)
    answer = page.locator(".message.assistant .text")
    expect(answer).to_have_text("Four.")
    page.locator("details.reasoning summary").click()
    expect(page.locator("details.reasoning .thought")).to_have_text("Let me see. Well.")


def test_what_turned_out_to_be_thought_while_the_tab_was_hidden(page: Page, url: str, fake: Fake) -> None:
    """Nothing is drawn then, and the answer is longer than what was shown when it comes back into view."""
    answer = "The answer is four, which is longer than what was taken for it."
    fake(pieces=["Let me see.", {"hold": True}, {"recast": True}, answer])
    ready(page, url)
    ask(page, "2 + 2?")
    text = page.locator(".message.assistant .text")
    expect(text).to_have_text("Let me see.")
    page.evaluate("""() => {
      window.held = [];
      window.frame = requestAnimationFrame;
      window.requestAnimationFrame = (act) => window.held.push(act);
    }""")
    go_on(page)
    wait_answers(page, 1)
    page.evaluate("""() => {
      window.requestAnimationFrame = window.frame;
      for (const act of window.held) requestAnimationFrame(act);
    }""")
    expect(text).to_have_text(answer)
    page.locator("details.reasoning summary").click()
    expect(page.locator("details.reasoning .thought")).to_have_text("Let me see.")


def test_reasoning_is_folded_and_timed(page: Page, url: str, fake: Fake) -> None:
    thoughts = [{"reasoning": f"thought {i}. "} for i in range(8)]
    fake(pieces=[*thoughts, *pieces("It is **Paris**.")], pace=200)
    ready(page, url)
    ask(page)
    reasoning = page.locator("details.reasoning")
    expect(reasoning.locator("summary")).to_contain_text("Thinking…")
    expect(reasoning.locator("summary")).to_contain_text("1 s")
    expect(reasoning.locator(".thought")).to_be_hidden()
    wait_answers(page, 1)
    expect(reasoning.locator("summary")).to_have_text(re.compile(r"^Thought for \d seconds?$"))
    reasoning.locator("summary").click()
    expect(reasoning.locator(".thought")).to_contain_text("thought 0. thought 1.")
    expect(page.locator(".message.assistant .text strong")).to_have_text("Paris")
    heard = " ".join(page.locator("#announcer p").all_text_contents())
    assert "Paris" in heard and "thought 0" not in heard
    page.reload()
    expect(page.locator("details.reasoning summary")).to_have_text(re.compile(r"^Thought for \d seconds?$"))


def test_messages_are_edited_answered_anew_gone_on_with_and_deleted(page: Page, url: str, fake: Fake) -> None:
    fake(echo=True)
    ready(page, url)
    ask(page, "first")
    wait_answers(page, 1)
    ask(page, "second")
    wait_answers(page, 2)
    assert [message["role"] for message in sent(page)["messages"]] == ["user", "assistant", "user"]
    answers, questions = page.locator(".message.assistant"), page.locator(".message.user")

    # Anew: another answer beside the first, to the same question; and one that differs where the default would not.
    action(answers.last, "Regenerate").click()
    wait_answers(page, 2)
    expect(answers.last.locator(".branches")).to_contain_text("2 / 2")
    assert sent(page)["messages"][-1] == {"role": "user", "content": "second"}
    assert sent(page)["sampling"] == {"temperature": 0.7}
    answers.last.locator('[aria-label="Previous version"]').click()
    expect(answers.last.locator(".branches")).to_contain_text("1 / 2")
    assert sent(page)["sampling"] == {}

    # Go on: the answer is sent as the beginning of itself.
    action(answers.last, "Continue").click()
    expect(answers.last.locator(".text")).to_contain_text("``````json")
    wait_answers(page, 2)
    assert [message["role"] for message in sent(page)["messages"]] == ["user", "assistant", "user", "assistant"]

    # Edit: a branch from the first question on; the old one stays within reach.
    page.press("#prompt", "ArrowUp")
    page.press(".editor textarea", "Escape")
    questions.first.hover()
    action(questions.first, "Edit").click()
    page.fill(".editor textarea", "first, but other")
    page.press(".editor textarea", "Enter")
    wait_answers(page, 1)
    assert sent(page)["messages"] == [{"role": "user", "content": "first, but other"}]
    expect(questions).to_have_count(1)
    questions.first.hover()
    questions.first.locator('[aria-label="Previous version"]').click()
    expect(questions).to_have_count(2)
    expect(questions.last.locator(".text")).to_have_text("second")

    # An answer can be edited too.
    choose_of(answers.last, "Edit")
    page.fill(".editor textarea", "my words")
    page.press(".editor textarea", "Control+Enter")
    expect(answers.last.locator(".text")).to_have_text("my words")
    ask(page, "third")
    wait_answers(page, 3)
    assert sent(page)["messages"][3] == {"role": "assistant", "content": "my words"}

    # Delete, and think again.
    questions.last.hover()
    choose_of(questions.last, "Delete from here")
    expect(questions).to_have_count(2)
    page.click("#toasts button")
    expect(questions).to_have_count(3)
    page.wait_for_timeout(500)  # it is kept a moment later than it is shown
    page.reload()
    wait_state(page, "ready")
    expect(questions).to_have_count(3)
    expect(questions.first.locator(".branches")).to_contain_text("1 / 2")


def test_stop_and_a_reload_keep_what_came(page: Page, url: str, fake: Fake) -> None:
    fake(pieces=["word "] * 1000, pace=20)
    ready(page, url)
    ask(page)
    expect(page.locator(".message.assistant .text")).to_contain_text("word word")
    expect(page.locator("#speed")).to_contain_text("tokens/s")
    expect(page.locator("#context .numbers")).to_contain_text("of 2,048 tokens")
    page.press("#prompt", "Escape")
    wait_answers(page, 1)
    expect(page.locator(".message.assistant .stats")).to_contain_text("stopped")
    expect(page.locator("#speed")).to_be_empty()
    action(page.locator(".message.assistant"), "Continue").click()
    kept = len(page.locator(".message.assistant .text").inner_text())
    page.wait_for_timeout(1500)  # longer than an answer that streams in stays unkept
    page.reload()
    expect(page.locator(".message.assistant .text p")).to_contain_text("word")
    assert len(page.locator(".message.assistant .text").inner_text()) > kept
