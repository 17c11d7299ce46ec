"""The view of the chat's widget in a real browser, over a double of what anywidget gives it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from web.build import paths, pins

if TYPE_CHECKING:
    from web.build.browser import Chromium

pytestmark = pytest.mark.browsers

HERE = paths.ROOT / "py_wgml" / "notebook"
# The host's colours: none, and JupyterLab's by their names.
THEMES = {
    "plain": "",
    "dark": "body { background: #111; color: #eee; --jp-brand-color1: #90caf9; --jp-content-font-color1: #eee }",
}
PAGE = """<!doctype html><html lang="en"><title>A notebook</title><style>{theme}{css}</style>
<body><main><h1>A notebook</h1><div id="one"></div><div id="two"></div></main>
<script type="module">
  import widget from "./widget.js";
  class Model extends EventTarget {{
    traits = {{ turns: [], answer: {{}}, busy: false, error: "" }};
    sent = [];
    count = 0;
    get(name) {{ return this.traits[name]; }}
    set(traits) {{
      Object.assign(this.traits, traits);
      for (const name in traits) this.dispatchEvent(new Event(`change:${{name}}`));
    }}
    on(name, handler) {{ this.count++; this.addEventListener(name, handler); }}
    off(name, handler) {{ this.count--; this.removeEventListener(name, handler); }}
    send(message) {{ this.sent.push(message); }}
  }}
  globalThis.model = new Model();
  globalThis.ends = ["one", "two"].map((id) => widget.render({{ model, el: document.getElementById(id) }}));
</script>"""
LONG = "<p>" + "A long answer. " * 400 + "</p>"


@pytest.fixture(params=THEMES)
def page(request: pytest.FixtureRequest, chromium: Chromium) -> Iterator[Page]:
    context: BrowserContext = chromium.browser().new_context(viewport={"width": 700, "height": 1100})
    text = PAGE.format(theme=THEMES[request.param], css=(HERE / "widget.css").read_text())
    script = (HERE / "widget.js").read_text()
    context.route("**/*", lambda route: route.fulfill(body=text, content_type="text/html"))
    context.route("**/widget.js", lambda route: route.fulfill(body=script, content_type="text/javascript"))
    page = context.new_page()
    page.goto("http://notebook.example/")
    page.wait_for_function("globalThis.ends")
    yield page
    context.close()


def put(page: Page, **traits: Any) -> None:
    page.evaluate("(traits) => model.set(traits)", traits)


def turn(role: str, html: str, thoughts: str = "", note: str = "") -> dict[str, str]:
    return {"role": role, "html": html, "thoughts": thoughts, "note": note}


def test_a_conversation(page: Page, tmp_path: Path) -> None:
    one, two = page.locator("#one"), page.locator("#two")
    prompt = one.get_by_label("Message")
    expect(one.get_by_role("button", name="Retry")).to_be_disabled()
    prompt.press("Enter")
    prompt.press_sequentially("Hi")
    prompt.press("Shift+Enter")
    prompt.press_sequentially("you")
    prompt.press("Enter")
    assert page.evaluate("model.sent") == [{"type": "send", "text": "Hi\nyou"}]
    expect(prompt).to_have_value("")

    asked = [turn("user", "<p>Hi you</p>")]
    put(page, turns=asked, busy=True, answer=turn("assistant", "", "<p>Hm.</p>"))
    for view in (one, two):
        expect(view.get_by_text("Hm.")).to_be_visible()
        expect(view.get_by_role("log")).to_have_attribute("aria-busy", "true")
    prompt.fill("more")
    prompt.press("Enter")
    assert len(page.evaluate("model.sent")) == 1
    one.get_by_role("button", name="Stop").click()
    put(page, answer=turn("assistant", "<p>Hello</p>", "<p>Hm.</p>"))
    expect(one.get_by_text("Hm.")).to_be_hidden()
    one.locator(".py-wgml-assistant summary").click()
    answer = turn("assistant", "<p>Hello <b>there</b></p><pre><code>a &lt; b</code></pre>", "<p>Hm.</p>", "Stopped.")
    put(page, turns=[*asked, answer], answer={}, busy=False)
    expect(one.get_by_text("Hm.")).to_be_visible()  # as its reader left it
    expect(two.get_by_text("Hm.")).to_be_hidden()
    for view in (one, two):
        expect(view.locator(".py-wgml-turn")).to_have_count(2)
        expect(view.get_by_text("Stopped.")).to_be_visible()

    put(page, error="the conversation is too long")
    expect(two.get_by_role("alert")).to_have_text("the conversation is too long")
    page.screenshot(path=tmp_path / "widget.png")
    two.get_by_role("button", name="Retry").click()
    two.get_by_role("button", name="Clear").click()
    assert page.evaluate("model.sent").pop() == {"type": "clear"} and len(page.evaluate("model.sent")) == 4
    put(page, turns=[], error="")
    expect(page.locator(".py-wgml-turn")).to_have_count(0)
    page.evaluate("ends.map((end) => end())")
    assert page.evaluate("model.count") == 0


def test_the_log_follows_who_is_at_its_end(page: Page) -> None:
    log = page.locator("#one").get_by_role("log")
    gap = "(log) => log.scrollHeight - log.scrollTop - log.clientHeight"
    put(page, busy=True, answer=turn("assistant", LONG))
    put(page, answer=turn("assistant", LONG * 2))
    assert log.evaluate(gap) < 2
    log.evaluate("(log) => { log.scrollTop = 10; }")
    put(page, answer=turn("assistant", LONG * 3))
    assert log.evaluate("(log) => log.scrollTop") == 10


def test_everyone_can_use_it(page: Page) -> None:
    put(page, turns=[turn("user", "<p>Hi</p>"), turn("assistant", LONG, "<p>Hm.</p>", "Cut off.")], error="no")
    pins.fetch(tools := [part for part in pins.read_lock() if part.file == "axe.min.js"])
    page.add_script_tag(content=tools[0].path.read_text())
    told = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    assert [problem["id"] for problem in told["violations"]] == []
