"""Answers that are odd or huge: nothing of them disappears, nothing stops the drawing, no task lasts long."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from fuzz import answers
from page.pages import ask, ready, wait_answers
from playwright.sync_api import Page, Route, expect

if TYPE_CHECKING:
    from web.build.browser import Chromium

pytestmark = pytest.mark.slow

GENERICS = "`a` git clone <repository> and use Vec<u8>, std::vector<std::string> and Map<K, List<V>>; a < b > c"
# What is written, and what a reader must see of it as it is written.
WRITTEN = [
    (GENERICS, "git clone <repository> and use Vec<u8>, std::vector<std::string> and Map<K, List<V>>; a < b > c"),
    ("# A <T>\n\n- use <name>\n\n| a | b |\n|---|---|\n| <x> | <y> |", ["A <T>", "use <name>", "<x>", "<y>"]),
    ('<div class="x">\n  <p>Hello</p>\n</div>', '<div class="x">\n  <p>Hello</p>\n</div>'),
    ("<!doctype html>\n<html>\n<body>x</body>\n</html>", "<!doctype html>\n<html>\n<body>x</body>\n</html>"),
    ("<script>\nlet a = 1;\n\nlet b = a < 2;\n</script>", "<script>\nlet a = 1;\n\nlet b = a < 2;\n</script>"),
    ("<style>b { c: d }</style>", "<style>b { c: d }</style>"),
    ("text <!-- a comment --> text", "text <!-- a comment --> text"),
    ("<!-- never closed\n\nand **more**", ["<!-- never closed", "and more"]),
    ("see <img src=x onerror=alert(1)> here", "see <img src=x onerror=alert(1)> here"),
    ("<?php echo 1; ?>", "<?php echo 1; ?>"),
    ("a <![CDATA[ b ]]> c", "a <![CDATA[ b ]]> c"),
    ("an <input name=body> and <custom-element a='>'>", "an <input name=body> and <custom-element a='>'>"),
    ("<T extends U>(x: T) => x", "<T extends U>(x: T) => x"),
    ("use the <div> and the </b> tags, <br/> too", ["use the <div> and the </b> tags, ", " too"]),
    ("<think>\nI *am*\n</think>", ["<think>", "I am", "</think>"]),
    ("<frameset>\n\nafter", ["<frameset>", "after"]),
    ("[bad](javascript:alert(1)) ![bad](data:text/html,x)", "[bad](javascript:alert(1)) ![bad](data:text/html,x)"),
    ('<a href="javascript:alert(1)">x</a>', '<a href="javascript:alert(1)">x</a>'),
    ("[^1]: a note\n\nsee [^1]", ["[^1]: a note", "see [^1]"]),
    ("see [x]\n\n[x]: https://example.com/y 'title'", "[x]: https://example.com/y 'title'"),
    ("| a |\n|---|\n| 1 | 2 | 3 |", ["1", "2", "3"]),
    ("```python title=a.py\nx\n```", ["python title=a.py", "x\n"]),
    ("[](https://example.com/z)", "https://example.com/z"),
    ("nul \0 here", "nul \ufffd here"),
    ("one\r\n\r\n- two\r\n- three\r\n\r\nfour **five**", ["one", "two", "three", "four five"]),
    ('<span data-formula="inline">x^2</span>', '<span data-formula="inline">x^2</span>'),
]
# What is drawn, as a selector and its text.
DRAWN = [
    ("<b>bold</b> H<sub>2</sub>O<br>next", "sub", "2"),
    ('<b class="x" id="prompt">bold</b>', "b:not([id])", "bold"),
    ("<details><summary>more</summary>inside</details>", "details > summary", "more"),
    ("<table><tr><td>cell</td></tr></table>", "table td", "cell"),
    ("<https://example.com/a> and <a@example.com>", 'a[href="mailto:a@example.com"]', "a@example.com"),
    ("$$\na = 1\n\nnever **closed**", "strong", "closed"),
    ("\\[ a = 1\n\nnever **closed**", "strong", "closed"),
    (
        "\\begin{align}\na &= b \\\\\n\nc &= d\n\\end{align}\n\nthe **end**",
        "[data-formula=block] .katex-display mtable",
        None,
    ),
    ("\\begin{equation}a\\end{equation}", ".katex-display", None),
    ("with \\begin{pmatrix}1\\end{pmatrix} in it", "p .katex", None),
    ("\\begin{cases} a & b \\end{cases}", ".katex-display mtable", None),
]


@pytest.fixture(scope="module")
def drawing(chromium: Chromium, url: str) -> answers.Session:
    """One page for many answers."""
    return answers.Session(chromium.browser(), url)


def drawn(session: answers.Session, text: str, step: int | None = None) -> Page:
    """A page that has drawn an answer, which came in pieces of so many characters, or at once."""
    page = session.open()
    step = step or len(text)
    session.tell([{"text": text[at : at + step]} for at in range(0, len(text), step)])
    session.ask()
    return page


def shown(page: Page) -> str:
    """What is to be read of the last answer."""
    text = "(root) => [...root.childNodes].map((node) => node.textContent).join('\\n')"
    return str(page.locator(".message.assistant > .content > .text").last.evaluate(text))


@pytest.mark.parametrize(("text", "expected"), WRITTEN, ids=[text[:30] for text, _ in WRITTEN])
@pytest.mark.parametrize("step", [None, 3])
def test_what_is_no_mark_is_shown(
    drawing: answers.Session, text: str, expected: str | list[str], step: int | None
) -> None:
    page = drawn(drawing, text, step)
    for part in [expected] if isinstance(expected, str) else expected:
        assert part in shown(page)
    assert not drawing.problems
    assert page.evaluate(answers.SHOWN).get("bad") is None


@pytest.mark.parametrize(("text", "selector", "expected"), DRAWN, ids=[text[:30] for text, _, _ in DRAWN])
@pytest.mark.parametrize("step", [None, 3])
def test_what_is_a_mark_is_drawn(
    drawing: answers.Session, text: str, selector: str, expected: str | None, step: int | None
) -> None:
    found = drawn(drawing, text, step).locator(f".message.assistant .text {selector}")
    assert found.count() == 1
    assert expected is None or found.text_content() == expected


def test_long_code_goes_on_in_pieces_and_is_copied_as_a_whole(drawing: answers.Session) -> None:
    code = "".join(f"line_{i} = {i}  # {'x' * 20}\n" for i in range(2000))
    page = drawn(drawing, f"Code:\n\n```python\n{code}```\n\nThe **end**.", 500)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    text = page.locator(".message.assistant .text")
    assert text.locator("figcaption").all_text_contents() == ["pythonCopy"]
    assert text.locator(".hljs-number").count() == 2000
    text.locator(".copy-code").click()
    assert page.evaluate("navigator.clipboard.readText()") == code
    assert text.locator("strong").all_text_contents() == ["end"]


def test_a_long_table_keeps_its_head_and_a_long_list_its_numbers(drawing: answers.Session) -> None:
    rows = "".join(f"| {i} | cell |\n" for i in range(300))
    items = "".join(f"{i}. item\n" for i in range(1, 301))
    text = drawn(drawing, f"| a | b |\n|---|---|\n{rows}\n{items}", 1000).locator(".message.assistant .text")
    assert text.locator("tbody tr").count() == 300
    assert text.locator("thead").count() == text.locator("table").count() > 1
    numbers = "(lists) => lists.flatMap((list) => [...list.children].map((item, i) => (list.start ?? 1) + i))"
    assert text.locator("ol").evaluate_all(numbers) == list(range(1, 301))


def test_the_first_text_of_an_answer_waits_for_no_frame(page: Page, url: str, fake: Callable[..., None]) -> None:
    fake(pieces=["It is **Paris**.", {"hold": True}, " The second text does."], pace=50)
    ready(page, url)
    page.evaluate("window.requestAnimationFrame = () => 0")
    ask(page)
    # As it is written, where the library that draws it is still to come.
    expect(page.locator(".message.assistant .text")).to_have_text(re.compile(r"^It is (\*\*)?Paris(\*\*)?\.$"))


def test_what_fails_in_drawing_stops_no_other(page: Page, url: str, fake: Callable[..., None]) -> None:
    """Whatever the library throws, this answer is shown as it is written, and the next one is drawn."""
    broken = """DOMPurify.sanitize = ((real) => (html, ...rest) => {
      if (html.includes("fails")) throw new RangeError();
      return real(html, ...rest);
    })(DOMPurify.sanitize);"""

    def handler(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, body=f"{response.text()}\n{broken}")

    page.route("**/lib/purify.min.js", handler)
    fake(answers=[["It **fails**."], ["It is **well**."]])
    ready(page, url)
    ask(page)
    wait_answers(page, 1)
    page.locator(".message.assistant .text", has_text="It **fails**.").wait_for()
    ask(page)
    page.locator(".message.assistant .text strong", has_text="well").wait_for()


HUGE = {
    "lists in a line": "- " * 1100,
    "numbers in a line": "1. " * 1100,
    "quotations in a line": "> " * 1800,
    "a deep formula": "$$" + "\\frac{1}{" * 150 + "x" + "}" * 150 + "$$",
    "a formula deep without braces": "$$" + "\\sqrt" * 300 + "x$$",
    "a formula of macros": "$\\def\\a{\\b\\b\\b}\\def\\b{\\c\\c\\c}\\def\\c{xxxxxx}" + "\\a" * 100 + "$",
    "a long formula": "$$" + "a_{1}+b^2 " * 2000 + "$$",
    "line ends": "x" + "\n" * 60_000 + "x",
    "spaces": "x" + " " * 300_000 + "x",
    "nested lists": "".join("  " * i + "- a\n" for i in range(1000)),
    "dollars": "$" * 100_000,
    "formulas begun": "\\(a " * 20_000,
    "divs": "<div>" * 50_000,
    "a list": "1. a\n" * 40_000,
    "a line of code": "```markdown\n" + "a\\*b \\<b> \\\\" * 15_000,
    "a long formula of letters": "$$" + "![](b)" * 150 + "$$",
    "a word": "a" * 1_000_000,
    "code": "```python\n" + "def f(x):\n    return 'x'  # y\n" * 6_000,
    "a word of code": "```js\n" + "a" * 1_000_000,
    "emphasis": "*a_" * 50_000,
    "links begun": "[a](" * 20_000,
    "columns": "|a" * 5000 + "|\n" + "|-" * 5000 + "|\n",
    "marks over letters": ("e" + "\u0301" * 50) * 10_000,
    "Thai without spaces": "ก็ข้า" * 100_000,
}


@pytest.mark.parametrize("name", HUGE)
def test_no_task_of_the_page_lasts_long(drawing: answers.Session, name: str) -> None:
    text = HUGE[name]
    step = max(1, len(text) // 200)
    pieces = [{"text": text[at : at + step]} for at in range(0, len(text), step)]
    answers.check(answers.Case(pieces, 0, []), drawing)


def test_a_line_like_a_fence_where_a_piece_of_code_ends(drawing: answers.Session) -> None:
    """Only as far as the piece goes does it look like one; nor is U+2028 a line's end."""
    text = "```\na\n" + "abc\n" * 623 + "ab\n" + "``` word1z\n" + "more\n" * 1000 + "```\u2028word2z\n"
    answers.check(answers.Case([{"text": text}, {"text": "."}], 0, ["word1z", "word2z"]), drawing)


def test_long_reasoning(drawing: answers.Session) -> None:
    answers.check(answers.Case([{"reasoning": "hm, " * 1000}] * 250 + [{"text": "So."}], 0, []), drawing)
