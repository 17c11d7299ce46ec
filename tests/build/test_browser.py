"""What `build.py chat` and `build.py bench` ask of a page, on a small page that answers as the real one does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from web.build import bench, bench_page, browser, chat, serving
from web.build.errors import Stop

pytestmark = [pytest.mark.slow, pytest.mark.browsers]

CHAT = """<!doctype html><meta charset="utf-8"><body data-state="loading">
<form id="composer"><textarea id="prompt"></textarea></form>
<p id="error"></p><main></main><script>
const state = (name) => { document.body.dataset.state = name; };
setTimeout(() => state("ready"), 300);
document.querySelector("#prompt").addEventListener("keydown", async (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  state("busy");
  const message = document.createElement("div");
  message.className = "message assistant";
  message.innerHTML = '<p class="text"></p><p class="stats"></p>';
  document.querySelector("main").append(message);
  for (const piece of ["You said: ", event.target.value, ", é!"]) {
    await new Promise((done) => setTimeout(done, 200));
    message.firstChild.textContent += piece;
    message.source = message.firstChild.textContent;
  }
  message.lastChild.textContent = "12.5 tokens/s";
  state("ready");
});
</script>"""
ERROR = """<!doctype html><meta charset="utf-8"><body data-state="error"><p id="error">the model is broken</p>"""
BENCH = """<!doctype html><script>
const tokens = Number(new URLSearchParams(location.search).get("n"));
const result = tokens ? { decode: { tokens } } : { error: "no tokens" };
if (sessionStorage.again) setTimeout(() => { window.benchResult = result; }, 300);
else location.reload();
sessionStorage.again = 1;
</script>"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("pages")
    for name, content in (("chat", CHAT), ("error", ERROR), ("bench", BENCH)):
        (folder / f"{name}.html").write_text(content)
    with serving.serving(folder) as url:
        yield url


def test_chat_prints_the_answer_and_tells_the_rest(pages: str, capsys: pytest.CaptureFixture[str]) -> None:
    chat.chat(f"{pages}chat.html", "hello")
    told = capsys.readouterr()
    assert told.out == "You said: hello, é!\n"
    assert "ready after" in told.err
    assert told.err.endswith("12.5 tokens/s\n")


def test_chat_ends_with_the_error_of_the_page(pages: str) -> None:
    with pytest.raises(Stop, match=r"^the model is broken$"):
        chat.chat(f"{pages}error.html", "hello")


def test_bench_brings_the_result(pages: str) -> None:
    result = bench_page.bench(f"{pages}bench.html?n=7")
    assert result == {"decode": {"tokens": 7}}
    assert list(bench.flat(result)) == [("decode.tokens", 7)]
    with pytest.raises(browser.PageError, match="no tokens"):
        bench_page.bench(f"{pages}bench.html")


def test_firefox_types_and_waits(pages: str, firefox: browser.Firefox) -> None:
    firefox.open(f"{pages}chat.html")
    firefox.wait_for("document.body.dataset.state === 'ready'")
    firefox.evaluate("document.querySelector('#prompt').focus()")
    firefox.type("hello\ue007")
    assert firefox.wait_for("document.querySelector('.stats')?.textContent") == "12.5 tokens/s"
    assert firefox.evaluate("document.querySelector('.text').textContent") == "You said: hello, é!"


@pytest.mark.parametrize("name", ["chromium", "firefox"])
def test_webgpu_adapter(name: str, pages: str, request: pytest.FixtureRequest) -> None:
    """Both browsers compute, on whatever adapter this machine has."""
    expression = "navigator.gpu.requestAdapter().then((adapter) => adapter?.requestDevice()).then((device) => !!device)"
    started = request.getfixturevalue(name)
    if name == "firefox":
        started.open(f"{pages}error.html")
        assert started.evaluate(expression)
    else:
        page = started.browser().new_page()
        page.goto(f"{pages}error.html")
        assert page.evaluate(expression)
        page.close()
