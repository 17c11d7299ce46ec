"""What a visitor can set and do besides asking: settings, a full context, files, keys; themes, directions, access."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from page.pages import DROP, ask, box_of, ready, sent, settings, wait_answers, wait_state
from playwright.sync_api import BrowserContext, Page, expect

from web.build import paths, pins

Fake = Callable[..., None]

AXE = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations.map(({ id, impact, nodes }) => `${id} (${impact}): ${nodes.map(({ html }) => html).join(" ")}`);
}"""


@pytest.mark.slow
def test_settings(page: Page, url: str, fake: Fake) -> None:
    fake(echo=True)
    ready(page, url)
    page.keyboard.press("Control+,")
    field = {name: page.locator(f"#setting-{name}") for name in ("temperature", "top_k", "seed", "stop", "schema")}
    expect(page.locator("#settings [role=tab]")).to_have_text(["General", "Answers", "Sampling", "Memory", "Tools"])
    expect(field["seed"]).to_be_hidden()
    page.locator("#settings-tab-general").focus()
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    expect(page.locator("#settings-tab-sampling")).to_be_focused()
    expect(field["temperature"]).to_have_attribute("placeholder", "0")  # the model's default
    expect(field["top_k"]).to_have_attribute("placeholder", "40")
    expect(field["seed"]).to_have_attribute("placeholder", "random")
    values: dict[str, Any] = {"temperature": 0.5, "top_k": 20, "top_p": 0.9, "min_p": 0.1, "repetition_penalty": 1.2}
    values |= {"seed": 7}
    for name, value in values.items():
        page.fill(f"#setting-{name}", str(value))
    field["temperature"].fill("9")
    expect(field["temperature"]).to_have_attribute("aria-invalid", "true")
    page.click("#settings-tab-answers")
    page.fill("#setting-max_tokens", "50")
    page.fill("#setting-system", "Be brief.")
    field["stop"].fill("END\nUser:")
    field["schema"].fill('{"type":')
    expect(field["schema"]).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#setting-schema-problem")).to_have_text(re.compile("^This is not a JSON schema"))
    field["schema"].fill('{"type": "object"}')
    expect(page.locator("#setting-schema-problem")).to_be_empty()
    page.keyboard.press("Escape")
    page.reload()
    wait_state(page, "ready")
    ask(page, "Hello")
    wait_answers(page, 1)
    values |= {"max_tokens": 50, "stop": ["END", "User:"], "schema": '{"type": "object"}'}
    assert sent(page)["sampling"] == values
    assert sent(page)["messages"][0] == {"role": "system", "content": "Be brief."}

    # Another context length loads the model anew, and the conversation is still there.
    settings(page, "memory")
    page.fill("#setting-context", "512")
    page.click("#settings .close")
    wait_state(page, "ready")
    ask(page, "More")
    wait_answers(page, 2)
    expect(page.locator("#context .numbers")).to_contain_text("of 512 tokens")

    settings(page, "answers")
    page.click("text=Reset all")
    expect(page.locator("#setting-system")).to_have_value("")
    page.click("#settings .close")
    wait_state(page, "ready")
    ask(page, "Again")
    wait_answers(page, 3)
    assert sent(page)["sampling"] == {}


def test_thinking(page: Page, url: str, fake: Fake) -> None:
    """Who asks decides, where the model can be told; of another model that stays unsaid."""
    fake(echo=True, thinking="off")
    ready(page, url)
    for choice, told in (("Always", True), ("Never", False), ("Default (off)", None)):
        settings(page, "answers")
        page.click(f"#settings .choice:visible:has-text('{choice}')")
        page.click("#settings .close")
        ask(page, "Hello")
        expect(page.locator("body")).to_have_attribute("data-state", "ready")
        page.wait_for_function("!document.querySelector('#stop:not([hidden])')")
        assert sent(page)["sampling"] == ({} if told is None else {"chat_template_kwargs": {"enable_thinking": told}})
    page.evaluate("localStorage.settings = JSON.stringify({ thinks: true })")
    fake(echo=True)
    page.reload()
    wait_state(page, "ready")
    ask(page, "Hello")
    page.wait_for_function("!document.querySelector('#stop:not([hidden])')")
    assert sent(page)["sampling"] == {}
    settings(page, "answers")
    expect(page.locator("#settings")).not_to_contain_text("Thinking")
    assert sent(page)["messages"][0]["role"] == "user"


@pytest.mark.slow
def test_a_filling_context_is_told_of_with_a_choice(page: Page, url: str, fake: Fake) -> None:
    fake(pieces=["word "] * 20, context=100)
    ready(page, url)
    for count in range(1, 5):
        ask(page, "one two three")
        wait_answers(page, count)
    expect(page.locator("#context")).to_have_attribute("data-level", "near")
    expect(page.locator("#full p")).to_contain_text("nearly as long")
    assert page.get_by_role("meter").get_attribute("aria-valuenow") == "92"
    ask(page, "one two three")  # 72 + 23 words of prompt, and room for five more
    wait_answers(page, 5)
    expect(page.locator("#context")).to_have_attribute("data-level", "full")
    answer = page.locator(".message.assistant").last
    expect(answer.locator(".stats")).to_contain_text("context full")
    page.click("text=Forget the oldest messages")
    expect(answer.locator(".text")).to_have_text(" ".join(["word"] * 25))  # it has gone on
    first = page.locator(".message[data-first=true]")
    expect(first).to_have_count(1)
    assert "no longer sees" in first.evaluate("(message) => getComputedStyle(message, '::before').content")
    expect(page.locator("#full")).to_be_hidden()
    ask(page, " ".join(["long"] * 200))  # alone too long
    expect(page.locator("#error")).to_contain_text("longer than the model can read")
    expect(page.locator("#prompt")).to_have_value(" ".join(["long"] * 200))  # it comes back
    wait_answers(page, 5)
    expect(page.locator("#full")).to_be_hidden()
    page.click("#new-chat")
    expect(page.locator("#welcome")).to_be_visible()
    expect(page.locator("#context")).to_be_hidden()


@pytest.mark.slow
def test_text_files_go_with_a_question(page: Page, url: str, fake: Fake, tmp_path: Path) -> None:
    fake(echo=True)
    ready(page, url)
    page.evaluate(DROP, ["notes.txt", list("grüße ``` here".encode())])
    page.evaluate(DROP, ["picture.png", [137, 80, 78, 71, 0, 255]])
    (tmp_path / "data.csv").write_text("a,b\n1,2\n")
    (tmp_path / "gone.md").write_text("# gone")
    page.set_input_files("#files", [tmp_path / "data.csv", tmp_path / "gone.md"])
    page.locator("#prompt").evaluate("""(prompt) => {
      const clipboardData = new DataTransfer();
      clipboardData.items.add(new File(["pasted"], "pasted.txt"));
      prompt.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
    }""")
    expect(page.locator("#attached .chip")).to_have_count(4)
    page.click("#attached [aria-label='Remove pasted.txt']")
    expect(page.locator(".toast")).to_have_text("picture.png is not a text file.")
    page.click("#attached [aria-label='Remove gone.md']")
    page.press("#prompt", "Enter")  # files alone are a question
    wait_answers(page, 1)
    asked = "notes.txt:\n````\ngrüße ``` here\n````\n\ndata.csv:\n```\na,b\n1,2\n```"
    assert sent(page)["messages"] == [{"role": "user", "content": asked}]
    expect(page.locator("#attached")).to_be_hidden()
    file = page.locator(".message.user details.file").first
    file.locator("summary").click()
    expect(file.locator("pre")).to_have_text("grüße ``` here")
    page.reload()
    expect(page.locator(".message.user details.file")).to_have_count(2)


@pytest.mark.slow
def test_everything_by_keyboard(page: Page, url: str, fake: Fake) -> None:
    fake(pieces=["word "] * 500, pace=20)
    ready(page, url)
    page.locator("#scroller").focus()
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_be_visible()
    expect(page.locator("#shortcuts dt")).to_have_count(10)
    page.keyboard.press("Escape")
    page.locator("#scroller").focus()
    page.keyboard.press("/")
    expect(page.locator("#prompt")).to_be_focused()
    page.keyboard.type("What? / ")  # in a field they are letters
    page.keyboard.press("Enter")
    expect(page.locator(".message.assistant .text")).to_contain_text("word")
    page.keyboard.press("Escape")
    wait_answers(page, 1)
    page.keyboard.press("ArrowUp")
    expect(page.locator(".editor textarea")).to_be_focused()
    expect(page.locator(".editor textarea")).to_have_value("What? /")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.press("Control+Shift+s")
    expect(page.locator("#sidebar")).to_be_hidden()
    page.reload()
    wait_state(page, "ready")
    expect(page.locator("#sidebar")).to_be_hidden()  # as it was left
    page.keyboard.press("Control+Shift+s")
    page.locator("#search").focus()
    reached = set()
    for _ in range(40):
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.ariaLabel"))
        page.keyboard.press("Tab")
    wanted = {"search", "models-button", "transfer-button", "settings-button", "shortcuts-button", "sidebar-toggle"}
    wanted |= {"model-button", "new-chat", "scroller", "attach", "prompt", "More for “What? /”"}
    wanted |= {"Copy", "Edit", "Regenerate", "Continue", "More"}
    assert wanted <= reached, wanted - reached
    page.keyboard.press("Control+Shift+o")
    expect(page.locator(".message")).to_have_count(0)


@pytest.mark.slow
def test_nobody_is_kept_out(page: Page, url: str, fake: Fake) -> None:
    pins.fetch(tools := [part for part in pins.read_lock() if part.file == "axe.min.js"])
    table, code = "| a | b |\n| - | - |\n| 1 | $x^2$ |", "```python\ndef f(): # so\n  return 'a' + 1\n```"
    answer = f"# A\n\n{table}\n\n{code}\n\n- [a](http://b.example) `c`"
    fake(pieces=[{"reasoning": "so"}, answer])
    page.set_default_timeout(20_000)
    found: dict[str, Any] = {}

    def look(name: str) -> None:
        if not page.evaluate("window.axe !== undefined"):
            page.evaluate(tools[0].path.read_text())
        found.update({name: problems} if (problems := page.evaluate(AXE)) else {})

    ready(page, url)
    look("first visit")
    ask(page)
    wait_answers(page, 1)
    page.locator(".katex, .hljs-keyword").first.wait_for()
    page.locator("details.reasoning summary").click()
    page.locator(".message.assistant").hover()
    look("chat")
    page.click("#settings-button")
    for group in ("sampling", "answers", "memory", "tools", "general"):
        page.click(f"#settings-tab-{group}")
        look(f"settings: {group}")
    page.click("#settings .choice:has-text('Dark')")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    look("settings, dark")
    page.click("#settings .close")
    page.click("#model-button")
    page.locator("#models .offer").first.wait_for()
    look("models, dark")
    page.click("#models .close")
    look("chat, dark")
    page.reload()
    wait_state(page, "ready")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"  # kept, and there before the first paint
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 360, "height": 640})
    page.click("#sidebar-toggle")
    page.locator(".conversation .more").click()
    expect(page.locator("[role=menu]")).to_be_visible()
    look("menu on a phone")
    page.keyboard.press("Escape")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert not found, json.dumps(found, indent=1)


@pytest.mark.slow
def test_the_system_s_theme_is_followed(page: Page, url: str, fake: Fake) -> None:
    fake()
    page.emulate_media(color_scheme="dark")
    page.goto(url)
    root = page.locator("html")
    background = "getComputedStyle(document.body).backgroundColor"
    expect(root).to_have_attribute("data-theme", "dark")
    dark = page.evaluate(background)
    page.emulate_media(color_scheme="light")
    expect(root).to_have_attribute("data-theme", "light")
    assert page.evaluate(background) != dark
    page.click("#settings-button")
    page.click("#settings .choice:has-text('Light')")
    page.emulate_media(color_scheme="dark")
    page.reload()
    expect(root).to_have_attribute("data-theme", "light")
    page.click("#settings-button")
    page.click("#settings .choice:has-text('System')")
    assert page.evaluate(background) == dark
    expect(page.locator("meta[name=theme-color]")).to_have_attribute("content", "#181612")


@pytest.mark.slow
def test_languages_read_from_the_right(page: Page, context: BrowserContext, url: str, fake: Fake) -> None:
    fake(pieces=["مرحبا بالعالم، هذا نص.\n\nAnd an English paragraph.\n\n```python\nx = 1\n```"])
    ready(page, url)
    ask(page, "ما هي عاصمة فرنسا؟")
    wait_answers(page, 1)
    paragraphs = page.locator(".message.assistant .text > p")
    left = """(p) => {
      const range = document.createRange();
      range.selectNodeContents(p);
      return range.getBoundingClientRect().left - p.getBoundingClientRect().left;
    }"""
    assert paragraphs.nth(0).evaluate(left) > 100  # set from the right
    assert paragraphs.nth(1).evaluate(left) < 5
    expect(page.locator(".message.assistant pre")).to_have_attribute("dir", "ltr")

    def mirrored(route: Any) -> None:
        response = route.fetch()
        route.fulfill(response=response, body=response.text().replace('direction: "ltr"', 'direction: "rtl"'))

    context.route("**/words/en.js", mirrored)
    page.reload()
    wait_state(page, "ready")
    side, main, send, attach = (
        box_of(page.locator(selector)) for selector in ("#sidebar", "#page", "#send", "#attach")
    )
    assert side["x"] > main["x"] and send["x"] < attach["x"]
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("innerWidth")


class Words(HTMLParser):
    """The words of a page, and what its elements name them by."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.names: set[str] = set()

    def handle_data(self, data: str) -> None:
        self.words += [data.strip()] if data.strip() else []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.words += [given[name] or "" for name in ("aria-label", "title", "placeholder", "alt") if given.get(name)]
        self.names |= {given[name] or "" for name in given if name in ("data-text", "data-label", "data-hint")}


def test_all_words_are_in_one_file() -> None:
    words = Words()
    words.feed((paths.WEB / "index.html").read_text())
    # Before any script runs, and where none does.
    assert words.words == ["Chat", "Chat", "Chat", "This page needs JavaScript."]
    assert "settings.title" in words.names


def test_a_question_that_can_not_fit_comes_back(page: Page, url: str) -> None:
    """With the real worker: it says that it is too long, and nothing of what was written is lost."""
    ready(page, url)
    text = ("all of this is too long " * 20_000).strip()
    page.fill("#prompt", text)
    page.press("#prompt", "Enter")
    expect(page.locator("#error")).to_contain_text("longer than the model can read")
    assert page.input_value("#prompt") == text
    expect(page.locator(".message")).to_have_count(0)
    page.fill("#prompt", "hello")
    page.press("#prompt", "Enter")
    page.wait_for_selector(".message.assistant .stats:has-text('token')")


def test_a_question_that_was_not_answered_goes_along_with_the_next(
    page: Page, url: str, fake: Callable[..., None]
) -> None:
    fake(pieces=[], pace=0)
    ready(page, url)
    for question in ("first", "second"):
        page.fill("#prompt", question)
        page.press("#prompt", "Enter")
        expect(page.locator(".message.assistant .stats").last).to_contain_text("sent with your next question")
    expect(page.locator(".message.user")).to_have_count(2)
