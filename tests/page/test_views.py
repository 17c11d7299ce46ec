"""Every view of the page: nobody is kept out of it (axe), and it fits whatever window it is seen in."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from page.pages import ask, prefer, ready, wait_answers, wait_state
from page.test_inside import REPLIES
from playwright.sync_api import Page, expect

from web.build import pins

Fake = Callable[..., Any]

AXE = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations.map(({ id, impact, nodes }) => `${id} (${impact}): ${nodes.map(({ html }) => html).join(" ")}`);
}"""
# What of the view can't be reached because it lies outside of the window. Some things scroll by themselves.
OUTSIDE = """async () => {
  const frame = () => new Promise(requestAnimationFrame);
  await frame().then(frame); // what was put beside something else moves along with it
  const view = document.querySelector("[role=menu]") ?? document.querySelector("dialog[open]") ?? document.body;
  const [width, height] = [document.documentElement.clientWidth, document.documentElement.clientHeight];
  const found = document.documentElement.scrollWidth > width ? ["the page is wider"] : [];
  if (view.scrollWidth > view.clientWidth + 1) found.push(`${view.id || view.className} is wider`);
  for (const part of view.querySelectorAll("button, input, textarea, select, summary, [role=tab], [role=menuitem]")) {
    const { left, right, width: own } = part.getBoundingClientRect();
    const isSeen = part.checkVisibility({ visibilityProperty: true }) && own > 1;
    const scrolls = part.closest("[inert], pre, table, [role=tablist]");
    if (isSeen && !scrolls && (left < -1 || right > width + 1)) found.push(part.outerHTML.slice(0, 200));
  }
  if (view !== document.body) {
    const { top, bottom } = view.getBoundingClientRect();
    if (top < -1 || bottom > height + 1) found.push(`${view.id || view.className} is higher`);
  }
  return found;
}"""
WORD = """(name) => import(new URL("page/strings.js", document.baseURI).href)
  .then(({ strings }) => name.split(".").reduce((words, key) => words[key], strings))"""
# A narrow phone, a window of 1280 by 800 at 200 %, a phone on its side, a large screen.
SIZES = ((320, 640), (640, 400), (844, 390), (2560, 1440))
ANSWERED = ".message.assistant .actions [aria-haspopup]"
CONVERSATION = "#sidebar .conversation .more"
TABLE, CODE = "| a | b |\n| - | - |\n| 1 | $x^2$ |", "```python\ndef f(): # so\n  return 'a' + 1\n```"
ANSWER = f"## A\n\n{TABLE}\n\n{CODE}\n\n- [a](http://b.example) `c` [2, 3]"


class Views:
    """The page in one look, and the ways to its views."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def word(self, name: str) -> str:
        """A word of the page, in its language."""
        return str(self.page.evaluate(WORD, name))

    def sidebar(self, selector: str) -> None:
        """Click on something in the sidebar, which a phone has to bring in first."""
        if not self.page.locator("#sidebar").is_visible():
            self.page.click("#sidebar-toggle")
        self.page.locator(selector).first.click()

    def close(self) -> None:
        """Back to the conversation, with nothing typed."""
        above = self.page.locator("dialog[open], [role=menu]")
        self.page.keyboard.press("Escape")
        for _ in range(above.count()):  # one may stand on another
            self.page.keyboard.press("Escape")
        expect(above).to_have_count(0)
        if self.page.input_value("#search"):
            self.page.fill("#search", "")
        if self.page.locator("#page[inert]").count():
            self.page.click("#sidebar-close")
        self.page.fill("#prompt", "")

    def menu(self, opener: str, word: str) -> None:
        """Choose from a menu."""
        self.sidebar(opener) if "#sidebar" in opener else self.page.locator(opener).last.click()
        self.page.get_by_role("menuitem", name=self.word(word)).click()


def settings(group: str) -> Callable[[Views], None]:
    def opened(views: Views) -> None:
        views.sidebar("#settings-button")
        views.page.click(f"#settings-tab-{group}")

    return opened


def menu(opener: str) -> Callable[[Views], None]:
    return lambda views: views.sidebar(opener)


def dialog(name: str, way: Callable[[Views], None]) -> Callable[[Views], None]:
    """What shows a dialog, which may be loaded first."""

    def opened(views: Views) -> None:
        way(views)
        views.page.locator(f"#{name}[open] > :nth-child(2) > *").first.wait_for()

    return opened


def models(views: Views) -> None:
    views.page.click("#model-button")
    views.page.locator("#models .offer").first.wait_for()


CARD = {
    "parameters": 1_000_000,
    "vocabulary": {"tokens": 512, "model": "gpt2"},
    "types": [{"type": "Q4_1", "tensors": 3, "parameters": 999_999, "bytes": 700_000}],
    "metadata": [{"key": "general.name", "value": "a name " * 40}],
    "template": "{% for message in messages %}" * 20,
    "templates": [],
    "tensors": [{"name": "blk.0.attn_q.weight", "type": "Q4_1", "shape": [64, 64], "bytes": 2560}],
}


def card(views: Views) -> None:
    models(views)
    views.page.click("#models .offer.current .details")
    views.page.locator("#models .card dd").first.wait_for()
    for summary in views.page.locator("#models .card summary").all():
        summary.click()


PASSAGE = {"document": 0, "part": 0, "line": 3, "heading": "A heading", "text": "word " * 30}


def cited(views: Views) -> None:
    """The last answer is one from a file."""
    if views.page.locator(".source").count():
        return
    views.page.set_input_files("#files", {"name": "a.txt", "mimeType": "text/plain", "buffer": b"word " * 1000})
    ask(views.page)
    wait_answers(views.page, 2)
    views.page.locator(".sources .cite, .source").first.wait_for()


def source(views: Views) -> None:
    cited(views)
    views.page.locator(".source").last.click()
    views.page.locator("#source mark").wait_for()


def storage(views: Views) -> None:
    models(views)
    views.page.click("#models .storage button.link")
    views.page.locator("#storage .stored li").first.wait_for()


def inside(views: Views) -> None:
    views.menu(ANSWERED, "message.inside")
    views.page.locator("#inside [role=option]").first.wait_for()


def compared(views: Views) -> None:
    views.menu(ANSWERED, "compare.menu")
    views.page.locator("#compare .with button.main").click()
    views.page.locator("#compare .column").nth(1).locator(".figures", has_text="38").wait_for()


def share(views: Views) -> None:
    views.menu(CONVERSATION, "share.menu")
    views.page.locator("#share button").first.wait_for()


def search(views: Views) -> None:
    views.sidebar("#search")
    views.page.keyboard.type("capital")
    views.page.locator(".conversation mark").first.wait_for()


def prompts(views: Views) -> None:
    views.page.click("#prompt")
    views.page.keyboard.type("/")
    views.page.locator("[role=listbox] [role=option], [role=menuitem]").first.wait_for()


# What can be opened while a conversation with an answer is in view. Escape closes it.
VIEWS: dict[str, Callable[[Views], None]] = {
    "chat": lambda _: None,
    "menu of an answer": lambda views: views.page.locator(ANSWERED).last.click(),
    "details of an answer": lambda views: views.menu(ANSWERED, "message.details"),
    **{f"settings: {group}": settings(group) for group in ("general", "answers", "sampling", "memory", "tools")},
    "models": models,
    "card": card,
    "storage": storage,
    "assistants": dialog("assistants", menu("#assistants-button")),
    "prompts": prompts,
    "look inside": inside,
    "compare": dialog("compare", lambda views: views.menu(ANSWERED, "compare.menu")),
    "compare, answered": compared,
    "menu of a conversation": menu(CONVERSATION),
    "menu of folders": lambda views: views.menu(CONVERSATION, "organised.move"),
    "share": share,
    "search": search,
    "export and import": menu("#transfer-button"),
    "shortcuts": dialog("shortcuts", menu("#shortcuts-button")),
    "cited files": cited,
    "source": source,
}
# The page's language, its colours, its size.
LOOKS = {"light": ("en", "light", (1280, 840)), "dark, Arabic, on a phone": ("ar", "dark", (390, 780))}


@pytest.mark.slow
@pytest.mark.parametrize("look", LOOKS)
def test_nobody_is_kept_out(page: Page, url: str, fake: Fake, look: str) -> None:
    language, colours, (width, height) = LOOKS[look]
    pins.fetch(tools := [part for part in pins.read_lock() if part.file == "axe.min.js"])
    found_in_files = {"type": "consulted", "fits": False, "passages": [PASSAGE] * 3}
    replies = {**REPLIES, "card": {"type": "card", "card": CARD}, "consult": found_in_files}
    fake(pieces=[{"reasoning": "so"}, ANSWER], replies=replies)
    prefer(page, [language])
    page.set_default_timeout(20_000)
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme="dark" if colours == "dark" else "light")
    found: dict[str, Any] = {}

    def note(name: str, problems: Any) -> None:
        if problems:
            found[name] = problems

    def examine(name: str) -> None:
        if not page.evaluate("window.axe !== undefined"):
            page.evaluate(tools[0].path.read_text())
        note(name, page.evaluate(AXE))
        note(f"{name}, as it is", page.evaluate(OUTSIDE))
        if look != "light":
            return
        page.emulate_media(forced_colors="active")
        note(f"{name}, in the system's colours", page.evaluate(AXE))
        page.emulate_media(forced_colors="none")
        for size in SIZES:
            page.set_viewport_size({"width": size[0], "height": size[1]})
            note(f"{name}, {size[0]} px wide", page.evaluate(OUTSIDE))
        page.set_viewport_size({"width": width, "height": height})

    page.emulate_media(reduced_motion="reduce")  # what fades in has little contrast on its way
    ready(page, url)
    views = Views(page)
    examine("first visit")
    ask(page)
    wait_answers(page, 1)
    page.locator(".katex, .hljs-keyword").first.wait_for()
    page.locator("details.reasoning summary").click()
    for name, way in VIEWS.items():
        way(views)
        examine(name)
        views.close()
    assert not found, json.dumps(found, indent=1, ensure_ascii=False)


@pytest.mark.slow
def test_what_is_shown_while_nothing_can_be_asked(page: Page, url: str, fake: Fake) -> None:
    pins.fetch(tools := [part for part in pins.read_lock() if part.file == "axe.min.js"])
    found: dict[str, Any] = {}
    scripts: dict[str, dict[str, Any]] = {
        "loading": {"progress": [{"stage": "download", "loaded": 41e6, "total": 98e6}], "hang": True},
        "error": {"fail": {"stage": "memory", "message": "The graphics memory is full"}},
    }
    for state, script in scripts.items():
        fake(**script)
        page.goto(url)
        wait_state(page, state)
        page.evaluate(tools[0].path.read_text())
        for size in SIZES:
            page.set_viewport_size({"width": size[0], "height": size[1]})
            if problems := page.evaluate(OUTSIDE):
                found[f"{state}, {size[0]} px wide"] = problems
        if problems := page.evaluate(AXE):
            found[state] = problems
    assert not found, json.dumps(found, indent=1)
