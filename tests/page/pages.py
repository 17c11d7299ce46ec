"""The page's parts, as tests name them."""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any

from playwright.sync_api import Page, TimeoutError, expect

QUESTION = "What is the capital of France?"
DROP = """([name, bytes]) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], name));
  for (const type of ["dragover", "drop"])
    document.body.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


def wait_state(page: Page, state: str) -> None:
    """Wait until the page says that it is in this state."""
    page.wait_for_selector(f"body[data-state={state}]")


def ask(page: Page, text: str = QUESTION) -> None:
    """Type a question and press Enter."""
    page.fill("#prompt", text)
    page.press("#prompt", "Enter")


def stop_when_it_talks(page: Page, count: int = 1) -> None:
    """Wait until so many answers have begun, and stop the last: a tiny random model talks on."""
    expect(page.locator(".message.assistant .text:not(:empty)")).to_have_count(count, timeout=60_000)
    with contextlib.suppress(TimeoutError):  # it may have ended all the same
        page.click("#stop", timeout=2_000)
    wait_answers(page, count)


def wait_answers(page: Page, count: int) -> None:
    """Wait until so many answers have ended."""
    expect(page.locator(".message.assistant[data-state=ended]")).to_have_count(count, timeout=60_000)


def sent(page: Page) -> Any:
    """What the engine was sent for the last answer, which a double with `echo` tells."""
    source = page.locator(".message.assistant").last.evaluate("(message) => message.source")
    return json.loads(re.findall(r"```json\n(.*?)\n```", source, re.DOTALL)[-1])
