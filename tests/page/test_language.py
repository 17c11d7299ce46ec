"""The page's language: the browser's own or the visitor's choice, and nothing typed is lost by that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from page.pages import ask, box_of, prefer, ready, wait_answers, wait_state
from playwright.sync_api import Page, expect

Fake = Callable[..., Any]

# What a browser prefers -> the file of words, the language and the direction of the page.
PREFERRED = (
    (["en-GB"], "en", "en", "ltr"),
    (["de-AT", "en"], "de", "de", "ltr"),
    (["nl", "fr-CA", "en"], "fr", "fr", "ltr"),
    (["es-419"], "es", "es", "ltr"),
    (["pt-PT"], "pt", "pt-BR", "ltr"),
    (["zh-TW", "zh"], "zh", "zh-Hans", "ltr"),
    (["ja"], "ja", "ja", "ltr"),
    (["ar-EG", "en"], "ar", "ar", "rtl"),
    (["nl", "fi"], "en", "en", "ltr"),
)


def test_the_browser_s_languages_are_followed(page: Page, url: str, fake: Fake) -> None:
    fake(hang=True)
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url.removeprefix(url)))
    hints = set()
    for languages, file, language, direction in PREFERRED:
        requested.clear()
        prefer(page, languages)
        page.goto(url, wait_until="commit")
        page.wait_for_selector("#prompt[placeholder]")
        html = page.locator("html")
        expect(html).to_have_attribute("lang", language)
        expect(html).to_have_attribute("dir", direction)
        hints.add(page.get_attribute("#prompt", "placeholder"))
        assert {name for name in requested if name.startswith("page/words/")} == {f"page/words/{file}.js"}
    assert len(hints) == len({file for _, file, *_ in PREFERRED})


def test_a_language_is_chosen(page: Page, url: str, fake: Fake) -> None:
    fake(pieces=["So ist es."])
    ready(page, url)
    page.fill("#prompt", "half a sent")
    page.set_input_files("#files", {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"some notes"})
    expect(page.locator("#attached")).to_contain_text("notes.txt")
    page.click("#settings-button")
    page.select_option("#setting-language", "de")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    wait_state(page, "ready")
    assert page.input_value("#prompt") == "half a sent"
    expect(page.locator("#attached")).to_contain_text("notes.txt")
    page.press("#prompt", "Enter")
    wait_answers(page, 1)
    expect(page.locator(".message.assistant")).to_contain_text("0,31")
    page.reload()
    wait_state(page, "ready")
    assert page.input_value("#prompt") == ""
    page.click("#settings-button")
    expect(page.locator("#settings")).to_contain_text("Einstellungen")
    page.select_option("#setting-language", "")
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_arabic_is_mirrored(page: Page, url: str, fake: Fake) -> None:
    fake(pieces=["مرحبا بالعالم، هذا نص.\n\nAnd an English paragraph.\n\n```python\nx = 1\n```"])
    prefer(page, ["ar"])
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
    side, main, send, attach = (
        box_of(page.locator(selector)) for selector in ("#sidebar", "#page", "#send", "#attach")
    )
    assert side["x"] > main["x"] and send["x"] < attach["x"]
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("innerWidth")


def test_english_stands_in_for_words_that_do_not_come(page: Page, url: str, fake: Fake) -> None:
    fake()
    prefer(page, ["de"])
    page.route("**/page/words/de.js", lambda route: route.abort())
    ready(page, url)
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("#prompt")).to_have_attribute("placeholder", "Ask anything")
