"""The page's parts, as tests name them."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import FloatRect, Locator, Page, expect

expect.set_options(timeout=30_000)  # two cores, which also run the engine and the software GPU

QUESTION = "What is the capital of France?"
DROP = """([name, bytes]) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], name));
  for (const type of ["dragover", "drop"])
    document.body.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
}"""
STOP = """([count, after]) => {
  const answers = document.querySelectorAll(".message.assistant .text:not(:empty)");
  if (answers.length !== count || answers[count - 1].innerText.length <= after.length) return false;
  document.querySelector("#stop").click();
  return true;
}"""


def wait_state(page: Page, state: str) -> None:
    """Wait until the page says that it is in this state."""
    page.wait_for_selector(f"body[data-state={state}]")


def ask(page: Page, text: str = QUESTION) -> None:
    """Type a question and press Enter."""
    page.fill("#prompt", text)
    page.press("#prompt", "Enter")


def stop_when_it_talks(page: Page, count: int = 1, after: str = "") -> None:
    """Wait until so many answers have begun, the last one longer than `after`, and stop it: a tiny model talks on.

    The page itself looks and clicks: on a fast machine the model fills its context before a click from here arrives.
    """
    page.wait_for_function(STOP, arg=[count, after], polling=20, timeout=60_000)
    wait_answers(page, count)


def source(page: Page) -> str:
    """The last answer as the model wrote it."""
    return str(page.locator(".message.assistant").last.evaluate("(message) => message.source"))


def wait_answers(page: Page, count: int) -> None:
    """Wait until so many answers have ended."""
    expect(page.locator(".message.assistant[data-state=ended]")).to_have_count(count, timeout=60_000)


def box_of(element: Locator) -> FloatRect:
    """Where an element that can be seen lies."""
    box = element.bounding_box()
    assert box is not None
    return box


def choose_of(message: Locator, name: str) -> None:
    """Choose from the menu of a message."""
    message.hover()
    message.get_by_label("More", exact=True).click()
    message.page.get_by_role("menuitem", name=name, exact=True).click()


def sent(page: Page) -> Any:
    """What the engine was sent for the last answer, which a double with `echo` tells."""
    return json.loads(re.findall(r"```json\n(.*?)\n```", source(page), re.DOTALL)[-1])


def settings(page: Page, group: str) -> None:
    """Open the settings at a group of them."""
    page.click("#settings-button")
    page.click(f"#settings-tab-{group}")


def script(page: Page, **changes: Any) -> None:
    """Change what the engine's double does from now on."""
    page.evaluate("(changes) => new BroadcastChannel('script').postMessage(changes)", changes)


def go_on(page: Page) -> None:
    """Past a {hold: true} of the double that answers: what is to be seen between two pieces is then there to be seen,
    however slow the machine."""
    page.evaluate("""() => {
      const channel = new BroadcastChannel("script");
      channel.postMessage({ go: true });
      channel.close();
    }""")


def ready(page: Page, url: str) -> None:
    """Open the page, and wait until it can be asked."""
    page.goto(url)
    wait_state(page, "ready")


def fails(page: Page) -> list[str]:
    """What goes wrong in it and is caught by nobody, from now on."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    return errors


def prefer(page: Page, languages: list[str]) -> None:
    """Have the browser prefer these from the next page on."""
    page.add_init_script(
        f"Object.defineProperty(navigator, 'languages', {{ value: {json.dumps(languages)}, configurable: true }})"
    )
