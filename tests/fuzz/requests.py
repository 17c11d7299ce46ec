"""Messages such as no page should send, to the page's real worker: each is answered, and the engine goes on.

A case is a list of messages, posted without waiting: of odd types, sizes and orders, in JavaScript's own values.
Answered means: a reply with the message's id that ends it (`error` or what was asked for), or an error with the id 0
for what has none. Alive means: a normal question is answered with the same words as at the beginning.
"""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import tiny
from playwright.sync_api import Page

from fuzz import Fault
from web.build import models, serving
from web.build.brand import Brand
from web.build.browser import chromium
from web.build.site import build

ODD = [
    *["null", "undefined", "true", "false", "0", "-0", "1", "-1", "0.5", "1e300", "NaN", "Infinity", "-Infinity"],
    *["2 ** 31", "2 ** 32", "2 ** 53", "10n", "2n ** 70n", "-1n", '""', '"0.7"', '"x"', '"\\ud800"', '"\\0"'],
    *["[]", "{}", "[null]", "[[]]", "[1, , 3]", '["a", 5]', '{"a": null}', "[{}]", '"a".repeat(100000)', '"\\u202e"'],
    *[
        "new Date(0)",
        "/x/",
        "new Set([1])",
        "new Map([[1, 2]])",
        "new Uint8Array(4)",
        "new ArrayBuffer(4)",
        "endless()",
    ],
    *["deep(500)", "deep(20)", "new Blob([])", "new Error('x')", "Object.create(null)", "() => 1", "Symbol('x')"],
    *["Array(3000).fill({})", "new Float64Array([NaN])", "'0x10'", "'1e3'", "new Number(5)", "new String('x')"],
]
SAMPLING = ["temperature", "top_k", "top_p", "min_p", "repetition_penalty", "penalty_window", "seed", "max_tokens"]
SAMPLING += ["stop", "tools", "chat_template_kwargs", "on_prefill", "max_token", "__class__", "colour"]
GOOD = ["0.7", "40", "1", "5", "null", "undefined", "40.0", "[]"]
ROLES = ['"user"', '"assistant"', '"system"', '"tool"', '"developer"', '"USER"', '"narrator"', "null", "5"]
TYPES = ["load", "send", "stop", "card", "bench", "resolve", "room", "pause", "cancel", "sing", "", "__init__"]
HELLO = '[{role: "user", content: "hello"}]'

HARNESS = Path(__file__).with_name("requests.html")


def case(seed: int) -> list[str]:
    """Expressions of JavaScript's, one a message."""
    return [_message(random.Random(f"{seed} {i}")) for i in range(random.Random(seed).randint(1, 4))]


def _message(dice: random.Random) -> str:
    value = dice.choice(ODD)
    match dice.randrange(10):
        case 0:
            return value  # no message at all
        case 1:
            kind = dice.choice([*map(json.dumps, TYPES), *ODD])
            return f"{{type: {kind}, paused: false, bytes: {dice.choice(ODD)}, reference: {dice.choice(ODD[:20])}}}"
        case 2 | 3 | 4:
            names = dice.sample(SAMPLING, dice.randint(1, 3))
            options = ", ".join(f"{name}: {dice.choice(ODD if i == 0 else GOOD)}" for i, name in enumerate(names))
            return f"{{type: 'send', messages: {HELLO}, sampling: {{{options}}}}}"
        case 5 | 6:
            said, count = ['"hi"', *ODD], dice.randint(1, 3)
            turns = [f"{{role: {dice.choice(ROLES)}, content: {dice.choice(said)}}}" for _ in range(count)]
            if dice.random() < 0.3:
                turns[-1] = turns[-1][:-1] + f", tool_calls: {value}, reasoning_content: {dice.choice(ODD)}}}"
            return f"{{type: 'send', messages: [{', '.join(turns)}], sampling: {{max_tokens: 2}}}}"
        case 7:
            field = dice.choice(["messages", "sampling", "drop_oldest", "id", "type"])
            return f"{{type: 'send', messages: {HELLO}, sampling: {{max_tokens: 2}}, {field}: {value}}}"
        case 8:
            field = dice.choice(["context", "cache_bits", "colour"])
            model = dice.choice(["MODEL", "MODEL", "null", "{name: 'x', file: new File([], 'x')}", "{}", "5", '"x"'])
            return f"{{type: 'load', model: {model}, options: {dice.choice([f'{{{field}: {value}}}', value])}}}"
        case _:
            given = ("prompt_repetitions", "generate_tokens", "repetitions")
            numbers = {name: dice.choice([value, "2", "2"]) for name in given}
            numbers["prompt_tokens"] = dice.choice([value, "[2]", "[2, 5]"])
            fields = ", ".join(f"{name}: {number}" for name, number in numbers.items())
            return f"{{type: 'bench', {fields}, contexts: {dice.choice(['[]', value])}}}"


@contextlib.contextmanager
def session() -> Iterator[Page]:
    """A page with the built site's worker, its model a tiny one."""
    with TemporaryDirectory() as space:
        model = Path(space, "tiny.gguf")
        tiny.write_tiny_llama(model)
        build([models.given_model(str(model))], Brand(), Path(space, "dist"))
        with serving.serving(Path(space, "dist")) as url, chromium() as started:
            yield opened(started.browser().new_context(service_workers="block").new_page(), url)


def opened(page: Page, url: str) -> Page:
    """The page with the harness, its engine ready."""
    source = json.dumps({"name": "tiny", "url": f"{url}models/tiny.gguf"})
    body = HARNESS.read_text().replace("MODEL", source)
    page.route("**/harness.html", lambda route: route.fulfill(content_type="text/html", body=body))
    page.goto(f"{url}harness.html")
    page.evaluate(f"window.MODEL = {source}")
    said = page.evaluate("begin()")
    if said.startswith("error"):
        raise Fault(said)
    return page


def check(messages: list[str], page: Page) -> str:
    """Post them, wait for all answers, and ask a normal question."""
    makers = ", ".join(f"() => ({message})" for message in messages)
    try:
        word: Any = page.evaluate(f"check([{makers}])")
    except Exception as error:
        raise Fault(str(error).splitlines()[0] + f" after {messages}"[:2000]) from None
    if word.startswith("fault: "):
        raise Fault(f"{word.removeprefix('fault: ')} after {messages}"[:2000])
    return str(word)
