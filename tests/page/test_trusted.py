"""Trusted Types: what the pages let in, and that nothing else gets where it would run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from page.pages import ask, ready, wait_answers
from playwright.sync_api import Page

from web.build.browser import stand_in

if TYPE_CHECKING:
    from web.build.browser import Chromium

pytestmark = pytest.mark.slow

ANSWER = """# A

<b>b</b> <img src=x onerror=alert(1)> <frameset>

```js
let a = '<b>';
```

$$x^2$$

| a |
| - |
| b |
"""


@pytest.mark.parametrize("page_name", ["", "bench.html"])
def test_nothing_unvouched_for_becomes_markup_or_a_script(chromium: Chromium, url: str, page_name: str) -> None:
    """Trusted Types: who manages to put text where it would run is refused, and nobody makes a policy of his own."""
    context = chromium.browser().new_context()  # with service workers
    stand_in(context)
    script = "import './trusted.js';"  # the page itself would be opened anew meanwhile
    context.route("**/bench.js", lambda route: route.fulfill(body=script, content_type="text/javascript"))
    page = context.new_page()
    page.goto(f"{url}{page_name}")
    attempts = [
        "document.body.innerHTML = '<b>x</b>'",
        "document.body.insertAdjacentHTML('beforeend', '<b>x</b>')",
        "new DOMParser().parseFromString('<b>x</b>', 'text/html')",
        "document.createElement('iframe').srcdoc = '<b>x</b>'",
        "document.createElement('script').src = 'page/app.js'",
        "document.createElement('script').text = 'x'",
        "new Worker('worker/worker.js')",
        "navigator.serviceWorker.register('sw.js')",
        "trustedTypes.createPolicy('mine', {})",
        "trustedTypes.createPolicy('py_wgml', {})",
        "trustedTypes.createPolicy('dompurify', {})",
    ]
    for attempt in attempts:
        caught = "error instanceof TypeError"
        refused = page.evaluate(
            f"(async () => {{ try {{ await ({attempt}); }} catch (error) {{ return {caught}; }} }})()"
        )
        assert refused, attempt
    context.close()


def test_the_policy_lets_in_what_it_is_for_and_nothing_else(page: Page, url: str, fake: Callable[..., None]) -> None:
    fake()
    page.goto(url)
    refused = """async ([name, argument]) => {
      const { showColoured, workerAddress } = await import("./page/trusted.js");
      const code = document.createElement("code");
      try {
        if (name === "worker") return workerAddress(argument);
        showColoured(code, argument);
        return code.textContent;
      } catch (error) {
        return error.name;
      }
    }"""
    outcomes = {
        ("coloured", '<span class="hljs-title function_">a</span> &lt;b>'): "a <b>",
        ("coloured", "<span onclick=alert(1)>a</span>"): "TypeError",
        ("coloured", '<span class="a" onclick="alert(1)">a</span>'): "TypeError",
        ("coloured", "<img src=x>"): "TypeError",
        ("worker", "sw.js?version=1%2F2"): f"{url}sw.js?version=1%2F2",
        ("worker", "data:text/javascript,1"): "TypeError",
        ("worker", "https://example.org/worker.js"): "TypeError",
        ("worker", "worker/worker.js/../../page/app.js"): "TypeError",
        ("worker", "worker/worker.js#x"): "TypeError",
    }
    for (name, argument), outcome in outcomes.items():
        assert page.evaluate(refused, [name, argument]) == outcome, argument


def test_an_answer_in_every_way_makes_no_violation(page: Page, url: str, fake: Callable[..., None]) -> None:
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    fake(pieces=[ANSWER])
    ready(page, url)
    ask(page)
    wait_answers(page, 1)
    page.wait_for_selector(".hljs-string")
    page.wait_for_selector(".katex")
    page.wait_for_selector("body[data-offline]", state="attached")
    assert not [text for text in told if "trusted" in text.lower()], told


def test_the_worker_runs_no_text_and_no_script_of_another_site(
    page: Page, url: str, worker_prefix: Callable[[str], None]
) -> None:
    """Where the server sends the policy that docs/page.md tells of."""
    worker_prefix("""{
      const refused = [];
      for (const attempt of [() => eval("1"), () => new Function("")(), () => import("data:text/javascript,1")])
        try { await attempt(); } catch { refused.push(1); }
      console.log(`refused ${refused.length}`);
    }""")
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    ready(page, url)
    assert "refused 3" in told
