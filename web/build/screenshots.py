"""The pictures in docs/: the built page in its states, with a test double of the engine that says what is shown.

`build.py screenshots` runs it. The answers are scripted, so that a picture changes only when the page does; the engine
itself tells only what a model's card says.
"""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page

from .browser import chromium, stand_in, told

SIZE, PHONE = (1280, 840), (390, 780)

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


def pieces(text: str) -> list[str]:
    """The text in pieces of about a token."""
    return re.findall(r"\s*\S{1,6}|\s+", text)


def ask(page: Page, question: str, count: int) -> None:
    """Ask, and wait for the answer, drawn in full."""
    page.fill("#prompt", question)
    page.press("#prompt", "Enter")
    page.locator(".message.assistant[data-state=ended]").nth(count - 1).wait_for()
    page.wait_for_timeout(800)  # fonts of formulas, and the scroller's end


def choose(page: Page, label: str) -> None:
    """Choose from the menu of the last answer."""
    page.locator(".message.assistant .actions [aria-haspopup=menu]").last.click()
    page.get_by_role("menuitem", name=label).click()


def take(url: str, folder: Path) -> None:
    """Take the pictures of the page at `url` and write them to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with told(), chromium() as started:
        context = started.browser().new_context(service_workers="block", color_scheme="light")
        context.add_init_script("navigator.storage.estimate = async () => ({ usage: 117e6, quota: 10e9 });")
        context.set_default_timeout(600_000)  # the engine's, without a GPU
        page = context.new_page()

        def shoot(name: str, size: tuple[int, int] = SIZE) -> None:
            page.set_viewport_size({"width": size[0], "height": size[1]})
            page.mouse.move(0, 0)
            page.wait_for_timeout(300)
            page.screenshot(path=folder / f"{name}.png")

        stand_in(page, progress=DOWNLOAD, pace=700, hang=True)
        page.set_viewport_size({"width": SIZE[0], "height": SIZE[1]})
        page.goto(url)
        page.wait_for_timeout(3000)
        shoot("download")
        thoughts = [{"reasoning": piece} for piece in pieces(THOUGHTS)]
        stand_in(page, answers=[[*thoughts, *pieces(ANSWER)], pieces(SECOND_ANSWER), pieces(OTHER_ANSWER)])
        page.reload()
        page.wait_for_selector("body[data-state=ready]")
        shoot("first-visit")
        ask(page, QUESTION, 1)
        page.locator("#scroller").evaluate("(scroller) => { scroller.scrollTop = 0; }")
        shoot("chat", (SIZE[0], 1120))
        ask(page, SECOND, 2)
        choose(page, "Compare with")
        page.locator("#compare .with button.main").click()
        page.locator("#compare .column").nth(1).locator(".figures").filter(has_text="tokens").wait_for()
        page.wait_for_timeout(800)
        shoot("compare")
        page.click("#compare .close")
        page.click("#settings-button")
        shoot("settings")
        page.click("#settings .close")
        page.click("#model-button")
        page.wait_for_selector("#models .offer")
        shoot("models")
        page.click("#models .close")
        page.emulate_media(color_scheme="dark")
        shoot("dark")
        shoot("phone-dark", PHONE)
        page.emulate_media(color_scheme="light")
        page.click("#new-chat")
        page.click("#sidebar-toggle")
        shoot("phone-conversations", PHONE)
        page.unroute("**/worker.js")  # what a model's file says of itself, only the engine knows
        page.reload()
        page.wait_for_selector("body[data-state=ready]", timeout=600_000)
        page.set_viewport_size({"width": SIZE[0], "height": SIZE[1]})
        page.click("#model-button")
        page.click("#models .offer.current .details")
        page.click("#models .card details summary")
        shoot("card")
        page.click("#models .close")
        ask(page, "Hello!", 1)
        choose(page, "Look inside")
        page.get_by_text("What the model read").click()
        page.locator(".raw .token").nth(8).click()
        page.locator(".raw .lead").scroll_into_view_if_needed()
        shoot("raw")
        context.close()
