"""A question to the built page, as a person asks it."""

from __future__ import annotations

import sys
import time

from .browser import ANSWER, chromium, text_of, told, wait_until


def chat(url: str, question: str) -> None:
    """Ask the page at `url` as a person does; the answer to stdout as it streams, the rest to stderr."""
    with told(), chromium() as started:
        page = started.browser().new_page()
        page.goto(url)
        clock = time.monotonic()
        second = 0

        def loading() -> None:
            nonlocal second
            if (seconds := int(time.monotonic() - clock)) >= second + 2:
                second = seconds
                stage = f"{text_of(page, '#status')} {text_of(page, '#detail')}"
                print(f"{seconds:4} s  {stage}", file=sys.stderr, flush=True)

        wait_until(page, lambda state: state == "ready", loading)
        print(f"ready after {time.monotonic() - clock:.1f} s", file=sys.stderr, flush=True)
        page.fill("#prompt", question)
        page.press("#prompt", "Enter")
        wait_until(page, lambda state: state == "busy" or bool(page.evaluate(ANSWER)), lambda: None)
        shown = ""

        def stream() -> None:
            nonlocal shown
            text = page.evaluate(ANSWER)
            if text.startswith(shown):
                print(text[len(shown) :], end="", flush=True)
                shown = text

        wait_until(page, lambda state: state == "ready", stream)
        stream()
        print()
        print(text_of(page, ".message.assistant .stats"), file=sys.stderr, flush=True)
