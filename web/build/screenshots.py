"""The pictures in docs/: the built page in its states, with a test double of the engine that says what is shown.

`build.py screenshots` runs it. The answers are scripted, so that a picture changes only when the page does; the engine
itself tells only what a model's card says.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize

from .browser import chromium, stand_in, told

SIZE: ViewportSize = {"width": 1280, "height": 840}
PHONE = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True}

QUESTION = "How do I solve a quadratic equation? Show me the formula, and some Python."
THOUGHTS = "The formula first, then what its parts mean, then a short function."
ANSWER = r"""The **quadratic formula** solves $ax^2 + bx + c = 0$ for $a \neq 0$:

$$x = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}$$

The number under the root, $D = b^2 - 4ac$, tells how many real solutions there are:

| $D$ | Real solutions | Example |
| :-- | --: | :-- |
| positive | 2 | $x^2 - 1$ |
| zero | 1 | $x^2$ |
| negative | 0 | $x^2 + 1$ |

As a function that finds complex roots too:

```python
import cmath

def solve(a: float, b: float, c: float) -> tuple[complex, complex]:
    "Both roots of a quadratic."
    root = cmath.sqrt(b * b - 4 * a * c)  # complex where D is negative
    return (-b + root) / (2 * a), (-b - root) / (2 * a)

print(solve(1, -3, 2))  # ((2+0j), (1+0j))
```

1. Bring the equation into *standard form*.
2. Read off `a`, `b` and `c`; mind their signs.
3. Put them in.
"""
SECOND = "And when the roots are complex?"
SECOND_ANSWER = (
    r"Then they are **conjugates** of each other: $x_{1,2} = p \pm qi$, with the same real part $p = -\frac{b}{2a}$."
)
OTHER_ANSWER = (
    "The roots are complex when $b^2 - 4ac < 0$. They come in a pair:\n\n"
    r"$$x = \frac{-b \pm i\sqrt{4ac - b^2}}{2a}$$" + "\n\nNeither lies on the real line."
)
DOWNLOAD = [
    {"stage": "runtime", "loaded": 1, "total": 1},
    *({"stage": "download", "loaded": loaded * 1_000_000, "total": 98_362_432} for loaded in (0, 12, 27, 41)),
]

GUIDE = [
    ("Kettle", "Fill it with cold water up to the line, close the lid, and press the switch. It switches itself off."),
    ("Descaling", "Every two months, boil half a litre of water with two spoons of citric acid. Leave it for an hour."),
    ("Rinsing", "Then boil clear water twice and pour it away. Do not use vinegar: it attacks the seal of the lid."),
    ("Guarantee", "It lasts for three years from the day of purchase. Keep the receipt. Scale is not covered by it."),
]
ABOUT_FILE = "How do I get rid of the scale?"
ABOUT_FILE_ANSWER = """Boil **half a litre of water with two spoons of citric acid**, and wait an hour [1]. Then:

1. Boil clear water twice.
2. Pour it away each time [2].

No vinegar: it attacks the seal of the lid [2]. Do this every two months."""


def ask_about_file(page: Page) -> None:
    """A question about a file that is too long to be read whole, with what was found for it."""
    text = "\n\n".join(f"# {heading}\n\n{said}" for heading, said in GUIDE)
    passages = [{"document": 0, "part": 0, "line": 1, "heading": GUIDE[i][0], "text": GUIDE[i][1]} for i in (1, 2)]
    found = {"type": "consulted", "fits": False, "passages": passages}
    stand_in(page, pieces=pieces(ABOUT_FILE_ANSWER), context=256, replies={"consult": found})
    page.reload()
    page.wait_for_selector("body[data-state=ready]")
    page.set_input_files("#files", {"name": "kettle.md", "mimeType": "text/markdown", "buffer": text.encode()})
    ask(page, ABOUT_FILE, 1)


def pieces(text: str) -> list[str]:
    """The text in pieces of about a token."""
    return re.findall(r"\s*\S{1,6}|\s+", text)


def ask(page: Page, question: str, count: int) -> None:
    """Ask, and wait for the answer, drawn in full."""
    page.fill("#prompt", question)
    page.click("#send")  # Return does not send everywhere
    page.locator(".message.assistant[data-state=ended]").nth(count - 1).wait_for()
    page.wait_for_timeout(800)  # fonts of formulas, and the scroller's end


def choose(page: Page, label: str) -> None:
    """Choose from the menu of the last answer."""
    page.locator(".message.assistant").last.get_by_label("More", exact=True).click()
    page.get_by_role("menuitem", name=label).click()


def opened(browser: Browser, url: str, **options: Any) -> Page:
    """A page that can be asked what the pictures show; options: of the browser's context."""
    context = browser.new_context(**({"viewport": SIZE, "color_scheme": "light", "service_workers": "block"} | options))
    context.add_init_script("navigator.storage.estimate = async () => ({ usage: 117e6, quota: 10e9 });")
    page = context.new_page()
    thoughts = [{"reasoning": piece} for piece in pieces(THOUGHTS)]
    stand_in(page, gpu_bytes=121e6, answers=[[*thoughts, *pieces(ANSWER)], pieces(SECOND_ANSWER), pieces(OTHER_ANSWER)])
    page.goto(url)
    page.wait_for_selector("body[data-state=ready]")
    return page


def take(url: str, folder: Path) -> None:
    """Take the pictures of the page at `url` and write them to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)

    def shoot(page: Page, name: str, *also_dark: str) -> None:
        """The page as it is; under another name also as it is in the dark."""
        page.mouse.move(0, 0)
        page.wait_for_timeout(300)
        page.screenshot(path=folder / f"{name}.png")
        for dark in also_dark:
            page.emulate_media(color_scheme="dark")
            shoot(page, dark)
            page.emulate_media(color_scheme="light")

    with told(), chromium() as started:
        browser = started.browser()
        page = opened(browser, url)
        shoot(page, "first-visit", "first-visit-dark")
        stand_in(page, progress=DOWNLOAD, pace=700, hang=True)
        page.reload()
        page.wait_for_timeout(3000)
        shoot(page, "download")
        page.context.close()

        page = opened(browser, url)
        ask(page, QUESTION, 1)
        page.locator("#scroller").evaluate("(scroller) => { scroller.scrollTop = 0; }")
        page.set_viewport_size({"width": SIZE["width"], "height": 1120})
        shoot(page, "chat", "dark")
        page.set_viewport_size(SIZE)
        ask(page, SECOND, 2)
        choose(page, "Compare with")
        page.locator("#compare .with button.main").click()
        page.locator("#compare .column").nth(1).locator(".figures").filter(has_text="tokens").wait_for()
        page.wait_for_timeout(800)
        shoot(page, "compare")
        page.click("#compare .close")
        choose(page, "Details")
        page.locator("#scroller").evaluate("(scroller) => { scroller.scrollTop = scroller.scrollHeight; }")
        shoot(page, "details")
        page.click("#settings-button")
        page.click("#settings [role=tab]:nth-child(3)")
        shoot(page, "settings")
        page.click("#settings .close")
        page.click("#model-button")
        page.wait_for_selector("#models .offer")
        shoot(page, "models")
        page.context.close()

        page = opened(browser, url)
        ask_about_file(page)
        shoot(page, "files")
        page.locator(".source").first.click()
        shoot(page, "source")
        page.context.close()

        page = opened(browser, url, **PHONE)
        shoot(page, "phone-first-visit")
        ask(page, QUESTION, 1)
        page.locator("#scroller").evaluate("(scroller) => { scroller.scrollTop = 0; }")
        shoot(page, "phone", "phone-dark")
        page.click("#sidebar-toggle")
        shoot(page, "phone-conversations")
        page.context.close()

        page = opened(browser, url, locale="ar")
        shoot(page, "arabic")
        page.context.close()

        page = opened(browser, url)
        page.unroute("**/worker.js")  # what a model's file says of itself, only the engine knows
        page.reload()
        page.wait_for_selector("body[data-state=ready]", timeout=600_000)
        page.click("#model-button")
        page.click("#models .offer.current .details")
        page.click("#models .card details summary")
        shoot(page, "card")
        page.click("#models .close")
        page.set_default_timeout(600_000)  # of the engine without a GPU
        ask(page, "Hello!", 1)
        choose(page, "Look inside")
        page.get_by_text("What the model read").click()
        page.locator(".raw .token").nth(8).click()
        shoot(page, "raw")
        page.context.close()
