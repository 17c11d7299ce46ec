"""Answers such as no model should write, drawn by the page as they stream in: no task of its main thread lasts long.

A case is Markdown, HTML and formulas, mixed and mutated, or one thing again and again, up to 1 MB. Words are planted
in it; each must be found in what is shown. The page must make no request, run nothing, report no error, and draw the
next answer.
"""

from __future__ import annotations

import contextlib
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import tiny
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request

from fuzz import Fault
from web.build import models, serving
from web.build.brand import Brand
from web.build.browser import chromium, stand_in
from web.build.site import build

LONGEST_TASK = 0.1
"""Seconds of its thread's time that a task of the page may take."""
TRIES = 3
"""The least of so many counts: a thread's time has in it what a busy host takes from it."""
TASK = "ThreadControllerImpl::RunTask"  # as Chromium's trace calls it
SIZES = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
FRESH = 25
"""After so many answers the page is opened anew, in a profile of its own: what is kept of them grows."""
LINES = 20_000
"""Each may be a block, which takes a fraction of a frame."""
PATIENCE = 50_000  # milliseconds

TEXT = r"""plain words
**bold** and *em* and `code` and ~~gone~~
# Heading
## Another <b>heading</b>
- item
  - nested
1. one
> quote
> > deeper
| a | b |
|---|:-:|
| 1 | 2 | 3 |
```python
def f(x):
    return "x"  # of it
```
~~~js title="a.js"
const a = `${b}`;
~~~
    indented code
---
===
$x^2$ and \(y\)
$$\frac{a}{b}$$
\[ z = \sqrt{2}
\begin{align} a &= b \\ c &= d \end{align}
$5 or $10
[link](https://example.com "title")
[bad](javascript:window.pwned=1)
[empty]()
[](https://example.com)
![picture](https://elsewhere.example/a.png)
[ref][x]
[x]: https://example.com 'title'
[^1]: a note
see [^1]
<https://example.com> <a@example.com> <std::string>
git clone <repository> and use Vec<u8>
std::vector<std::pair<int, T>> x;
a < b > c && d
<T extends U>(x: T) => x
<div class="x">
</div>
<div>text</div>
<!doctype html>
<html><head><title>t</title></head>
<script>window.pwned=1</script>
<style>body{display:none}</style>
<img src=x onerror=window.pwned=1>
<!-- comment -->
<!-- never closed
<?php echo 1; ?>
<![CDATA[ x ]]>
<input name=body autofocus onfocus="window.pwned=1">
<custom-element a='>' b="<">
<svg><script>window.pwned=1</script></svg>
<math><mi//xlink:href="data:x,<script>window.pwned=1</script>">
<iframe srcdoc="<script>parent.pwned=1</script>"></iframe>
<frameset>
<form action="https://elsewhere.example"><button>Go</button></form>
<details open ontoggle="window.pwned=1"><summary id="prompt">more</summary>inside</details>
<a href="javascript:window.pwned=1" name="body">x</a>
<a href="https://example.com" onclick="window.pwned=1">away</a>
<table><tr><td>cell</table>
<p>one<p>two
<b><i>crossed</b></i>
<sup>1</sup><sub>2</sub> x<br>y
<span data-formula="block">\def\a{\a\a}\a</span>
<noscript><p title="</noscript><img src=x onerror=window.pwned=1>">
<template><b>x</b></template>
$\href{javascript:window.pwned=1}{x}$
$\def\a{\a\a}\a$
$\text{<b>x</b>}$
&lt;b&gt; &amp; &#0; &#x202e; &nosuch;
a\*b \<b> \\
e\u0301\u0301\u0301 \u202eright to left\u202c \U0001f468\u200d\U0001f469\u200d\U0001f467
<|im_start|> </think> [INST]
<tool_call>{"name": "f", "arguments": {"x": "<b>"}}</tool_call>
Line one\
line two"""
FRAGMENTS = [line.encode("ascii", "backslashreplace").decode() for line in TEXT.split("\n")]
FRAGMENTS = [re.sub(r"\\(u[0-9a-f]{4}|U[0-9a-f]{8})", lambda found: chr(int(found[1][1:], 16)), x) for x in FRAGMENTS]
UNITS = [
    *("a", " ", "\n", "\t", "\xa0", "\u200b", "word ", "ab\n", "a\n\n", "\n \n", "- ", "1. ", "> ", "# "),
    *("* a\n", "- a\n\n", "1. a\n", "*", "_", "**", "*a", "*a ", "*a_", "_a ", "**a*b", "***a", "~", "~~a "),
    *("`", "` ", "`a ", "``a`", "```\n", "~~~\n", "[", "]", "[a](", "[a]", "![", "[]()", "[a](<b", "[](", "("),
    *("|", "|a", "|\n", "a|b\n", "| a | b |\n", "|-", "<", "<a ", "<div>", "<div>\n", "</div>", "<b>"),
    *("<b>x</b>", '<a href="', "<a b='", "<!--", "-->", "<?", "<![CDATA[", "<T>", "<p>", "<table><tr><td>"),
    *("<ul><li>", "<details>\n\n", "<script>", "&amp;", "&", "&#", "\\", "\\*", "$", "$$", "$a ", "\\(a "),
    *("\\[", "\\)", "$$\n", "$x$ ", "\\frac{1}{", "{", "}", "x^", "x^{", "\\sqrt{", "\\sqrt", "\\left("),
    *("\\begin{matrix}", "\\begin{align}", "{1\\over ", "\\hat", "a.", "a@", "a-_.", "http:", "http://a.b "),
    *("www.", "www.a", "0", "a,b;", "e\u0301", "\u0301", "\u202e", "\u202e\u202d", "\U0001f468\u200d"),
    *("\U0001f468\u200d\U0001f469\u200d\U0001f467 ", "\u4e2d\u6587", "\u4e2d\u6587\u3002"),
    *("\u05e9\u05dc\u05d5\u05dd ", "\u0e01\u0e47", "\ufdfa", "    a\n", "\ta\n", "  - a\n", "  b\n", "> a\n"),
    *(">\n", "a\n=\n", "---\n", "[1]: a\n", "[^1]: a\n", "[^1] ", "# a\n", "a  \n", "a\\\n", "x <b>y</b> "),
    *("`<b>` ", "**a** ", "\r\n", "\r", "\x00"),
]  # fmt: skip
CLOSED = [
    *(("\\frac{1}{", "}"), ("{", "}"), ("\\left(", "\\right)"), ("x^{", "}"), ("\\sqrt{", "}"), ("{1\\over ", "}")),
    *(
        ("\\begin{matrix}", "\\end{matrix}"),
        ("<b>", "</b>"),
        ("<ul><li>", "</li></ul>"),
        ("**a *b ", "* **"),
        ("[", "](a)"),
    ),
    *(
        ("<div>", "</div>"),
        ("<blockquote>\n", "</blockquote>\n"),
        ("(", ")"),
        ("![", "](b)"),
        ("<details>", "</details>"),
    ),
]
LANGUAGES = (
    *(
        "bash",
        "c",
        "cpp",
        "css",
        "go",
        "java",
        "javascript",
        "json",
        "markdown",
        "perl",
        "php",
        "python",
        "ruby",
        "rust",
    ),
    *("sql", "typescript", "xml", "yaml", "html", "tex"),
)


@dataclass
class Case:
    """An answer in the pieces in which it comes, and what a reader must find in it."""

    pieces: list[dict[str, Any]]
    pace: int
    planted: list[str]


class Session:
    """One page after another, whose worker says what it is told."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser = browser
        self.url = url
        self.done = 0
        self.page: Page | None = None
        self.problems: list[str] = []

    def open(self) -> Page:
        """A page that is ready for a question."""
        if self.page and self.done % FRESH:
            self.done += 1
            self.page.click("#new-chat")
            self.page.context.new_cdp_session(self.page).send("HeapProfiler.collectGarbage")  # what others left behind
            self.problems.clear()
            return self.page
        if self.page:
            self.page.context.close()
        self.done = 1
        context = self.browser.new_context(service_workers="block")
        context.add_init_script(WATCH)
        self.page = page = context.new_page()
        stand_in(page, context=10**9)
        page.goto(self.url)
        page.wait_for_selector("body[data-state=ready]")
        self.tell([{"text": "First $x$.\n\n```python\nx = 1\n```\n"}])  # libraries are loaded
        self.ask()
        page.click("#new-chat")
        page.on("console", self.heard)
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("request", self.requested)
        self.problems.clear()
        return page

    def heard(self, message: ConsoleMessage) -> None:
        """Something was written to the console."""
        if message.type == "error":
            self.problems.append(f"console: {message.text[:200]}")

    def requested(self, request: Request) -> None:
        """Something was asked for; what belongs to the page may be."""
        if not request.url.startswith((f"{self.url}lib/", f"{self.url}icon")):
            self.problems.append(f"request: {request.url[:200]}")

    def tell(self, pieces: list[dict[str, Any]], pace: int = 0) -> None:
        """Say to the worker what its next answer is."""
        assert self.page
        self.page.evaluate("(script) => channel.postMessage(script)", {"pieces": pieces, "pace": pace})
        self.page.wait_for_timeout(20)

    def ask(self) -> None:
        """Ask; wait until the answer has ended and nothing more is drawn."""
        assert self.page
        self.page.evaluate("lastDrawn = performance.now()")
        self.page.fill("#prompt", "?")
        self.page.press("#prompt", "Enter")
        self.page.wait_for_function(QUIET, polling=100, timeout=PATIENCE)


WATCH = """
window.channel = new BroadcastChannel("script");
window.lastDrawn = 0;
addEventListener("DOMContentLoaded", () => {
  const look = () => (window.lastDrawn = performance.now());
  new MutationObserver(look).observe(document.querySelector("#messages"), {
    childList: true, subtree: true, characterData: true, attributes: true });
});
"""
QUIET = """() => {
  const last = [...document.querySelectorAll(".message.assistant")].at(-1);
  return last?.dataset.state === "ended" && performance.now() - lastDrawn > 1000;
}"""
SHOWN = """() => {
  const root = [...document.querySelectorAll(".message.assistant")].at(-1).querySelector(".content");
  const attributes = [...root.querySelectorAll("[href], [title]")].flatMap(({ href, title }) => [href, title]);
  const harmful = "script, style, iframe, img, input, form, [onerror], [onclick], .text :is([id], [name])";
  const bad = root.querySelector(harmful);
  const text = `${root.textContent} ${attributes.join(" ")}`;
  return { text, bad: bad?.outerHTML.slice(0, 200), pwned: window.pwned };
}"""


@contextlib.contextmanager
def session() -> Iterator[Session]:
    """A browser with the built site."""
    with TemporaryDirectory() as folder:
        model = Path(folder) / "tiny.gguf"
        tiny.write_tiny_llama(model)
        build([models.given_model(str(model))], Brand(), Path(folder) / "dist")
        with serving.serving(Path(folder) / "dist") as url, chromium() as started:
            yield Session(started.browser(), url)


def case(seed: int) -> Case:
    """The answer with this number."""
    chance = random.Random(seed)
    planted: list[str] = []

    def word() -> str:
        planted.append(f"w{len(planted)}q{chance.randrange(10**6)}z")
        return planted[-1]

    size = chance.choice(SIZES)
    kind = chance.random()
    if kind < 0.4:
        text = mixed(chance, min(size, 100_000), word)
    elif kind < 0.7:
        text = repeated(chance, size)
    elif kind < 0.85:
        text = fenced(chance, size)
    else:
        text = "\n\n".join(f(chance, min(size, 30_000)) for f in (repeated, fenced, repeated))
    if kind >= 0.4:
        text = "".join(text.splitlines(keepends=True)[:LINES])
        text = f"{word()}\n\n{text}\n\n{word()}" if chance.random() < 0.5 else text
    where = "reasoning" if chance.random() < 0.1 else "text"
    slow = len(text) < 4_000 and chance.random() < 0.3
    step = 40 if slow else max(8, len(text) // chance.choice((1, 30, 1000)))
    pieces: list[dict[str, Any]] = [{where: text[at : at + step]} for at in range(0, len(text), step)]
    if chance.random() < 0.1:  # a function is called, by an odd name and with odd arguments
        name = f"{chance.choice(FRAGMENTS)} {word()}"
        pieces.append({"calls": [{"index": 0, "id": "call_1", "name": name, "arguments": ""}]})
        pieces += [{"calls": [{"index": 0, "id": "", "name": "", "arguments": x}]} for x in (text[:1000], text[1000:])]
    return Case([*pieces, {"text": "."}], 4 if slow else 0, planted)


def mixed(chance: random.Random, size: int, word: Any) -> str:
    """Fragments with words between them, mutated."""
    parts: list[str] = []
    while sum(map(len, parts)) < size:
        part = chance.choice(FRAGMENTS)
        if chance.random() < 0.3:
            part = mutated(chance, part)
        if chance.random() < 0.05:
            part = part * chance.randrange(2, 40)
        parts += [part, chance.choice(("\n", "\n", "\n\n", " "))]
        if chance.random() < 0.2:
            parts += [word(), chance.choice(("\n\n", "\n", " "))]
    return "".join(parts)


def mutated(chance: random.Random, text: str) -> str:
    """With something taken out, doubled, or put in."""
    at, length = chance.randrange(len(text) + 1), chance.randrange(1, 6)
    other = chance.choice(FRAGMENTS + UNITS)
    return chance.choice((
        text[:at] + text[at + length :],
        text[:at] + text[at : at + length] * 3 + text[at:],
        text[:at] + other + text[at:],
        text[:at],
        "  " * length + text,
        "> " * length + text,
        "- " * length + text,
    ))  # fmt: skip


def repeated(chance: random.Random, size: int) -> str:
    """One or two things again and again, or one within another; perhaps within something else."""
    if chance.random() < 0.2:
        opening, closing = chance.choice(CLOSED)
        times = min(size // len(opening + closing), chance.choice((10, 30, 150, 1000, 10**6)))
        text = opening * times + "x" + closing * times
    else:
        unit = chance.choice(UNITS) + (chance.choice(UNITS) if chance.random() < 0.4 else "")
        text = unit * (size // len(unit) + 1)
    before, after = chance.choice(
        (("", ""), ("", ""), ("$$", "$$"), ("$", "$"), ("- ", ""), ("> ", ""), ("|a|\n|-|\n|", "|"))
    )
    return f"{before}{text[:size]}{after}"


def fenced(chance: random.Random, size: int) -> str:
    """A code block, of code or of what is none."""
    unit = chance.choice((*UNITS, *FRAGMENTS, *([f"{x}\n" for x in FRAGMENTS]), 'x = f("y") + 1\n'))
    text = unit * (min(size, 200_000) // len(unit) + 1)
    indent = chance.choice(("", "", "", "- ", "> ", "   "))
    end = indent.replace("-", " ") + chance.choice(("```", "", "````"))
    return f"{indent}```{chance.choice(LANGUAGES)}\n{text}\n{end}\n"


def check(case: Case, session: Session) -> str:
    """Ask the page and have it answer this, then something plain."""
    page = session.open()
    longest = drawn(case, session)
    for _ in range(TRIES - 1):
        if longest <= LONGEST_TASK:
            break
        page.click("#new-chat")
        longest = min(longest, drawn(case, session))
    shown = page.evaluate(SHOWN)
    problems = list(session.problems)
    if longest > LONGEST_TASK:
        problems.append(f"a task of {longest * 1000:.0f} ms")
    if shown["pwned"] or shown.get("bad"):
        problems.append(f"harm: {shown}"[:300])
    missing = [word for word in case.planted if word not in shown["text"]]
    if missing:
        problems.append(f"missing: {missing[:3]}")
    session.problems.clear()
    page.click("#new-chat")
    session.tell([{"text": "All is **well**."}])
    session.ask()
    if page.locator(".message.assistant .text strong").all_text_contents() != ["well"]:
        problems.append("the next answer is not drawn")
    problems += session.problems
    if problems:
        session.done = 0  # the next case has a page of its own
        raise Fault("; ".join(problems))
    return "long" if len(json.dumps(case.pieces)) > 50_000 else "short"


def drawn(case: Case, session: Session) -> float:
    """Have the page answer this; seconds of its longest task."""
    page = session.page
    assert page
    assert page.context.browser
    browser = page.context.browser
    session.tell(case.pieces, case.pace)
    with TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.json"
        browser.start_tracing(page=page, path=trace, categories=["toplevel"])
        try:
            session.ask()
        except Error as error:
            session.done = 0
            raise Fault(f"not drawn after {PATIENCE / 1000:.0f} s: {error.message.splitlines()[0]}") from None
        finally:
            browser.stop_tracing()
        return longest_task(json.loads(trace.read_text())["traceEvents"])


def longest_task(events: list[dict[str, Any]]) -> float:
    """Seconds of its thread's time that the longest task of a page's main thread took."""
    names = [event for event in events if event["name"] == "thread_name"]
    main = {(event["pid"], event["tid"]) for event in names if event["args"]["name"] == "CrRendererMain"}
    tasks = [event for event in events if event["name"] == TASK and (event["pid"], event["tid"]) in main]
    return max((event.get("tdur", 0) for event in tasks), default=0) / 1e6
