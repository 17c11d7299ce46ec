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
    page.press("#prompt", "Enter")
    page.locator(".message.assistant[data-state=ended]").nth(count - 1).wait_for()
    page.wait_for_timeout(800)  # fonts of formulas, and the scroller's end


def take(url: str, folder: Path) -> None:
    """Take the pictures of the page at `url` and write them to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with told(), chromium() as started:
        context = started.browser().new_context(service_workers="block", color_scheme="light")
        context.add_init_script("navigator.storage.estimate = async () => ({ usage: 117e6, quota: 10e9 });")
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
        stand_in(page, answers=[[*thoughts, *pieces(ANSWER)], pieces(SECOND_ANSWER)])
        page.reload()
        page.wait_for_selector("body[data-state=ready]")
        shoot("first-visit")
        ask(page, QUESTION, 1)
        page.locator("#scroller").evaluate("(scroller) => { scroller.scrollTop = 0; }")
        shoot("chat", (SIZE[0], 1120))
        ask(page, SECOND, 2)
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
        ask_about_file(page)
        shoot("files")
        page.locator(".source").first.click()
        shoot("source")
        context.close()
