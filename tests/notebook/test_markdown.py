"""What a model writes does nothing in a notebook: by two renderers of Markdown, neither of which cleans anything up."""

from __future__ import annotations

import json
import random
import re
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from py_wgml.markdown import harmless, of_conversation, of_message
from web.build import pins

RENDER = """import { marked } from "MARKED";
import { readFileSync } from "node:fs";
console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map((text) => marked.parse(text))));"""
# Every element of Markdown's own but pictures, and what attributes they may have.
ELEMENTS = {
    *("p", "h1", "h2", "h3", "h4", "h5", "h6", "em", "strong", "del", "s", "code", "pre", "ul"),
    *("ol", "li", "blockquote", "hr", "br", "a", "table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {"a": {"href", "title"}, "code": {"class"}, "ol": {"start"}, "th": {"style", "align"}}
ATTRIBUTES["td"] = ATTRIBUTES["th"]


class Harm(HTMLParser):
    """What a page would do with HTML: its elements and attributes that are not Markdown's own, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ELEMENTS:
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            if name not in ATTRIBUTES.get(tag, ()) or (
                name == "href" and not re.match("https?://|mailto:", value or "", re.IGNORECASE)
            ):
                self.found.append(f"<{tag} {name}={value}>")

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.found.append("<!---->")

    def handle_decl(self, decl: str) -> None:
        self.found.append("<!>")

    def handle_pi(self, data: str) -> None:
        self.found.append("<?>")


def by_marked(texts: list[str]) -> list[str]:
    """JupyterLab's renderer."""
    script = RENDER.replace("MARKED", (pins.node_modules() / "marked/lib/marked.esm.js").as_uri())
    command = [str(pins.node()[0]), "--input-type=module", "--eval", script]
    told = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True, check=True)
    found: list[str] = json.loads(told.stdout)
    return found


def by_markdown_it(texts: list[str]) -> list[str]:
    """That of VS Code and nbconvert's kin, with HTML let through, and all links."""
    made = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable(["table", "strikethrough"])
    made.validateLink = lambda url: True  # type: ignore[method-assign]
    return [made.render(text) for text in texts]


RENDERERS = [by_marked, by_markdown_it]
BAD = [
    "<script>alert(1)</script>",
    "a <img src=x onerror=alert(1)> b",
    "`a` <b>`</b>`",
    "``` <script>a</script>",
    "```\n<script>a</script>\n~~~\n<script>b</script>",
    "> ```\n> a\n\n<script>b</script>",
    "    <script>a</script>\n<script>b</script>",
    "- a\n  ```\n  b\n<script>c</script>\n  ```\n<script>d</script>",
    "<!-- a\n\n--> <script>b</script>",
    "<?a?> <!A b> <![CDATA[c]]>",
    "<https://a.example> <javascript:a>",
    "[a](javascript:alert(1)) [b]( javascript:alert(1)) [c](<javascript:alert(1)>) [d](&#106;avascript:alert(1))",
    "[a](data:text/html,b) ![b](https://c.example/d.png) !![b](https://c.example/d.png) ![b][c]",
    "[a]\n\n[a]: javascript:alert(1)\n[a]:\n  javascript:alert(1)",
    "\\[a](javascript:alert(1)) [a\\](javascript:alert(1)) [a\\\\](javascript:alert(1)) \\<b> \\\\<b>",
    "[![a](https://b.example/c)](https://d.example) [![a]](javascript:a)",
    "`a\n\n<b>`</b>",
    "``a` <b>`` ```c`` <d>```",
    "|a|\n|-|\n|`b|<i>`|",
    "a\n<b\nc>\n</b\n>",
    "[a]:`b`javascript:c\n[`a`](`b`javascript:c)",
]
MARKS = [
    "<",
    ">",
    "`",
    "``",
    "```",
    "~~~",
    "\n",
    "\n\n",
    "    ",
    "[",
    "]",
    "(",
    ")",
    "!",
    "\\",
    "&",
    ":",
    "*",
    "|",
    "- ",
]
WORDS = ["a", "/", "?", "script", "javascript:x", "https://a.example/", "img src=x onerror=y", "[CDATA[", "--", "$"]


def found_by(render: Callable[[list[str]], list[str]], texts: list[str]) -> dict[str, list[str]]:
    return {text: harm for text, html in zip(texts, render(texts), strict=True) if (harm := Harm(html).found)}


@pytest.mark.parametrize("render", RENDERERS)
def test_nothing_runs_and_nothing_is_fetched(render: Callable[[list[str]], list[str]]) -> None:
    assert len(found_by(render, BAD)) > len(BAD) / 2  # which tells that the test would see it
    chance = random.Random(0)
    odd = ["".join(chance.choices(MARKS + WORDS, k=chance.randrange(1, 30))) for _ in range(2000)]
    assert found_by(render, [harmless(text) for text in [*BAD, *odd]]) == {}


@pytest.mark.parametrize("render", RENDERERS)
def test_it_says_the_same(render: Callable[[list[str]], list[str]]) -> None:
    texts = [
        "# A\n\n1. b **c** `d<e>_f_`\n2. g\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\na < b, `x`, c[0](d)",
        "- a\n  ```python\n  if a < b:\n      <c>`d`\n  ```\n- [e](https://f.example 'g')",
        "~~~\n```\na\n```",
    ]
    want = [
        "A b c d<e>_f_ g a b 1 2 a < b, x, c[0](d)",
        "a if a < b: <c>`d` e",
        "``` a ```",
    ]
    assert [" ".join(Harm(html).text.split()) for html in render([harmless(text) for text in texts])] == want
    assert "```python\nif a < b:\n    <c>`d`\n```" in harmless(texts[1])


def test_messages() -> None:
    call = {"type": "function", "function": {"name": "look_up", "arguments": '{"a": "<b>"}'}}
    said = [
        {"role": "user", "content": [{"type": "text", "text": "<i>?"}, {"type": "image_url"}]},
        {"role": "assistant", "reasoning_content": "Hm.", "content": "Yes.", "tool_calls": [call]},
    ]
    assert of_conversation(said).split("\n\n") == [
        *("**User**", "&lt;i>?", "(image_url)", "**Assistant**"),
        *("<details><summary>Thoughts</summary>", "Hm.", "</details>", "Yes.", "calls <code>look&#95;up</code>"),
        '\n```json\n{"a": "<b>"}\n```\n',
    ]
    assert of_message({"role": "assistant", "reasoning_content": "Hm."}, is_thinking=True).startswith("<details open>")


def test_marimo_fetches_no_icon() -> None:
    assert harmless("a ::lucide:rocket:: `::b:c::`") == (
        "a &#58;:lucide:rocket:: <code>&#58;&#58;b&#58;c&#58;&#58;</code>"
    )
