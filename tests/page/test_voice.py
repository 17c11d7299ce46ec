"""Voice: what is read aloud, by whose voice; what is dictated; and that nothing is offered which a server would do.

The browser's interfaces are doubles here: a headless browser has no voices and hears nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from page.pages import ask, ready, wait_answers
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.slow

Fake = Callable[..., None]
# https://webaudio.github.io/web-speech-api/: as far as it is used.
VOICES = """(voices) => {
  window.spoken = [];
  window.SpeechSynthesisUtterance = class extends EventTarget {
    voice = null; lang = ""; onend = null; onerror = null;
    constructor(text) { super(); this.text = text; }
  };
  const speech = Object.assign(new EventTarget(), {
    said: null,
    getVoices: () => voices,
    speak(utterance) {
      window.spoken.push([utterance.text, utterance.voice.name]);
      this.said = utterance;
      if (!window.slow) setTimeout(() => utterance.onend?.(new Event("end")));
    },
    cancel() {
      const { said } = this;
      this.said = null;
      if (said) setTimeout(() => said.onerror?.(new Event("error")));
    },
  });
  Object.defineProperty(window, "speechSynthesis", { value: speech });
}"""
HEARS = """(available) => {
  window.asked = [];
  window.SpeechRecognition = class extends EventTarget {
    static async available(options) { window.asked.push(options); return available; }
    start() { window.hearing = this; window.started = this.processLocally; }
    abort() { setTimeout(() => this.onend?.(new Event("end"))); }
    stop() { this.abort(); }
  };
  window.hear = (...texts) =>
    window.hearing.onresult?.({ resultIndex: 0, results: texts.map((transcript) => [{ transcript, confidence: 1 }]) });
}"""
HERE = {"localService": True, "default": False, "voiceURI": ""}
VOICE_LIST: list[dict[str, Any]] = [
    {**HERE, "name": "Far", "lang": "en-US", "localService": False, "default": True},
    {**HERE, "name": "Near", "lang": "en_GB"},
    {**HERE, "name": "Anna", "lang": "de-DE"},
]
ENGLISH = """# The **sky**

It is blue, and that is because of $E=mc$ light. Is it not? See [this](https://example.com).

```python
print("not read")
```

- one `two`
- three"""
SAID = ["The sky", "It is blue, and that is because of E=mc light.", "Is it not?", "See this.", "one two", "three"]
GERMAN = "Der Himmel ist blau, weil das Licht der Sonne in der Luft gestreut wird."


def read(page: Page) -> None:
    page.locator(".message.assistant").last.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Read aloud").click()


def test_answers_are_read_by_voices_of_this_device(page: Page, url: str, fake: Fake) -> None:
    page.add_init_script(f"({VOICES})({VOICE_LIST!r})".replace("True", "true").replace("False", "false"))
    fake(answers=[[ENGLISH], [GERMAN], ["空はなぜ青いのですか。"]])
    ready(page, url)
    ask(page, "Why?")
    wait_answers(page, 1)
    expect(page.locator(".message.assistant .katex").first).to_be_attached()
    read(page)
    page.wait_for_function("(count) => window.spoken.length === count", arg=len(SAID))
    assert page.evaluate("window.spoken") == [[text, "Near"] for text in SAID]
    expect(page.get_by_role("button", name="Stop reading")).to_have_count(0)
    ask(page, "Warum?")
    wait_answers(page, 2)
    page.evaluate("window.slow = true; window.spoken = []")
    read(page)
    stop = page.get_by_role("button", name="Stop reading")
    expect(stop).to_be_focused()
    assert page.evaluate("window.spoken") == [[GERMAN, "Anna"]]
    stop.press("Enter")
    expect(stop).to_have_count(0)
    assert page.evaluate("speechSynthesis.said") is None
    ask(page, "なぜ?")
    wait_answers(page, 3)
    read(page)
    expect(page.locator(".toast")).to_have_text("This device has no voice for the language of this answer.")


@pytest.mark.parametrize("voices", [[], VOICE_LIST[:1]])
def test_without_such_voices_it_is_not_offered(page: Page, url: str, fake: Fake, voices: list[Any]) -> None:
    page.add_init_script(f"({VOICES})({voices!r})".replace("True", "true").replace("False", "false"))
    fake(pieces=["Yes."])
    ready(page, url)
    ask(page, "Is it?")
    wait_answers(page, 1)
    page.locator(".message.assistant").get_by_role("button", name="More").click()
    expect(page.get_by_role("menuitem", name="Look inside")).to_be_visible()
    expect(page.get_by_role("menuitem", name="Read aloud")).to_have_count(0)
    expect(page.locator("#dictate")).to_have_count(0)


@pytest.mark.parametrize("available", ["available", "downloadable", "unavailable"])
def test_dictation_on_this_device(page: Page, url: str, fake: Fake, available: str) -> None:
    page.add_init_script(f"({HEARS})({available!r})")
    fake(echo=True)
    ready(page, url)
    page.wait_for_function("window.asked.length === 1")
    assert page.evaluate("window.asked[0].processLocally") is True
    dictate = page.get_by_role("button", name="Dictate")
    if available != "available":
        return expect(dictate).to_have_count(0)
    page.fill("#prompt", "Tell me:")
    dictate.click()
    expect(dictate).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("window.started") is True
    page.evaluate("window.hear('why is')")
    expect(page.locator("#prompt")).to_have_value("Tell me: why is")
    page.evaluate("window.hear('why is the sky', ' blue')")
    expect(page.locator("#prompt")).to_have_value("Tell me: why is the sky blue")
    page.press("#prompt", "Enter")
    wait_answers(page, 1)
    expect(page.locator(".message.user .text")).to_have_text("Tell me: why is the sky blue")
    expect(dictate).to_have_attribute("aria-pressed", "false")
    page.evaluate("window.hear('late')")  # what comes after it was sent is not written
    expect(page.locator("#prompt")).to_have_value("")
    dictate.click()
    page.evaluate("window.hear('red')")
    page.locator("#prompt").press_sequentially("!")  # what is typed stays, and is not written over
    expect(dictate).to_have_attribute("aria-pressed", "false")
    page.evaluate("window.hear('red green')")
    expect(page.locator("#prompt")).to_have_value("red!")
    dictate.click()
    page.evaluate("window.hearing.onerror({ error: 'not-allowed' }); window.hearing.onend()")
    expect(page.locator(".toast")).to_have_text("The browser does not let this page use the microphone.")
    return None
