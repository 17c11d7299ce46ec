"""Functions that the model calls in the page: Python in its sandbox, the site's own, and what the visitor has to say."""

# ruff: noqa: E501  (scripts are lines)

from __future__ import annotations

import contextlib
import http.server
import json
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from page.pages import ask, fails, ready, script, sent, settings, wait_answers
from playwright.sync_api import BrowserContext, Page, expect

from web.build import models, serving
from web.build.brand import Brand
from web.build.browser import Chromium, Firefox, stand_in
from web.build.site import build

pytestmark = pytest.mark.slow

Fake = Callable[..., None]

# Runs [code, milliseconds until it is stopped] one after the other; Python is made anew where it has ended.
RUN = """async ([runs, within]) => {
  const { Sandbox } = await import("./page/sandbox.js");
  const { wheels } = await (await fetch("site.json")).json();
  const found = [];
  let sandbox;
  for (const [code, stop] of runs) {
    if (!sandbox || sandbox.isClosed) sandbox = new Sandbox(wheels, within);
    const signal = stop ? AbortSignal.timeout(stop) : new AbortController().signal;
    found.push(await sandbox.run(code, [{ name: "../data.csv", text: "a,b\\n1,2\\n" }], () => {}, signal));
  }
  sandbox.close();
  return found;
}"""
LEFT_BEHIND = """
import asyncio
steps = 0
async def go_on():
    global steps
    while True:
        steps += 1
        await asyncio.sleep(0)
asyncio.ensure_future(go_on())
await asyncio.sleep(0.01)
"""
BOMB = """
import asyncio
async def bomb():
    while True:
        asyncio.ensure_future(bomb())
        await asyncio.sleep(0)
await bomb()
"""
PLOTS = """
import plot
plot.line([1, 2, 3], [1, None, 3], title="<b>&")
plot.bar({"one": 1, "two": -2})
"""
HTML = """
class Shown:
    def _repr_html_(self):
        return "<table><tr><th>a</th></tr><tr><td onclick='x()'>1<script>2</script></td></tr></table>"
Shown()
"""
# Code, and what must stand in the run: in its value or error, unless it is named.
RUNS: list[tuple[str, dict[str, str]]] = [
    ("x = 6 * 7; print('hello'); x", {"value": "42", "output": "hello\n"}),
    ("x", {"value": "42"}),  # it stays
    ("open('data.csv').read()", {"value": r"'a,b\n1,2\n'"}),
    ("import numpy as np; float(np.linalg.det(np.eye(3)))", {"value": "1.0"}),
    ("def f(a):\n  return 1 / a\nf(0)", {"error": "line 2, in f\n    return 1 / a"}),
    ("1 +", {"error": "SyntaxError"}),
    ("exit()", {"output": ""}),
    ("import js", {"error": "js is not available: this Python has no way to the page"}),
    ("from pyodide.http import pyfetch", {"error": "pyodide.http is not available: this Python has no way"}),
    ("from pyodide.code import run_js", {"error": "pyodide.code is not available"}),
    ("import urllib.request as r; r.urlopen('https://example.org')", {"error": "there is no network here"}),
    ("import socket; socket.create_connection(('example.org', 80))", {"error": "there is no network here"}),
    ("import matplotlib.pyplot", {"error": "use plot: plot.line"}),
    ("import os; os.system('ls')", {"value": "-1"}),
    ("bytearray(2 * 1024**3)", {"error": "Python has 1 GiB of memory here."}),
    ("kept = []\nwhile True: kept.append(bytearray(50_000_000))", {"error": "Python has 1 GiB of memory here."}),
    ("kept = None; x", {"value": "42"}),  # it has come through
    ("open('large', 'wb').write(bytes(100_000_000))", {"error": "No space left on device"}),
    ("for i in range(100_000): print(i)", {"output": "[Only the first 20,000 characters are shown.]"}),
    ("'x' * 100_000", {"value": "xxx…"}),
    (LEFT_BEHIND, {"output": ""}),
    ("steps > 10", {"value": "True"}),
    ("before = steps; await asyncio.sleep(0.2); steps - before", {"value": "0"}),  # it has ended
    (PLOTS, {"shown": '{"svg": "<svg '}),
    ("[{'a': 1, 'b': 0.5}, {'c': '<b>'}]", {"shown": '{"columns": ["a", "b", "c"], "rows": [["1", "0.5", ""]'}),
    (HTML, {"shown": '{"columns": ["a"], "rows": [["12"]], "count": 1}'}),
    ("import ctypes; ctypes.memset(0, 65, 10_000_000)", {"error": "."}),  # it has died, or hangs
    ("'x' in globals()", {"value": "False"}),  # another Python
    ("print('before')\nwhile True: pass", {"error": "Stopped: it took more than 6 seconds.", "output": "before"}),
    (BOMB, {"error": "Stopped: it took more than 6 seconds."}),
    ("1", {"value": "1"}),
]


def test_code_runs_within_bounds_and_says_what_it_meets(page: Page, url: str, fake: Fake) -> None:
    problems = fails(page)
    fake()
    ready(page, url)
    runs = page.evaluate(RUN, [[[code] for code, _ in RUNS], 6])
    for (code, expected), run in zip(RUNS, runs, strict=True):
        for name, text in expected.items():
            found = json.dumps(run[name], ensure_ascii=False) if name == "shown" else run.get(name, "")
            assert text in found, (code, run)
        assert "error" in expected or "error" not in run, (code, run)
        assert len(run["output"]) < 25_000
    assert not page.locator("iframe").count()
    assert page.evaluate(RUN, [[["while True: pass", 1500]], 30])[0]["error"] == "Stopped."
    assert problems == [problem for problem in problems if "memory access" in problem]  # Python's own, which died of it


# In the place of the worker that runs Python: what of JavaScript's it could reach, were there a way out of Python.
PROBES = """
const server = %s;
const socket = (made) => new Promise((resolve, reject) => ((made.onopen = resolve), (made.onerror = () => reject("refused"))));
const probes = {
  fetch: () => fetch(server),
  opaque: () => fetch(server, { mode: "no-cors" }),
  request: () => new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.onload = resolve;
    request.onerror = () => reject("refused");
    request.open("GET", server);
    request.send();
  }),
  socket: () => socket(new WebSocket(server.replace("http", "ws"))),
  events: () => socket(new EventSource(server)),
  import: () => import(server + "page/dom.js"),
  importScripts: () => importScripts(server + "page/theme.js"),
  worker: () => new Promise((resolve, reject) => {
    const script = new Blob(["fetch('" + server + "', { mode: 'no-cors' }).then(() => postMessage(1), () => postMessage(0))"]);
    new Worker(URL.createObjectURL(script)).onmessage = ({ data }) => (data ? resolve() : reject("refused"));
  }),
  database: () => new Promise((resolve, reject) => {
    const request = indexedDB.open("x");
    request.onsuccess = resolve;
    request.onerror = () => reject("refused");
  }),
  files: () => navigator.storage.getDirectory(),
  caches: () => caches.open("x"),
  eval: () => eval("1"),
};
onmessage = async ({ ports: [page] }) => {
  const open = [];
  for (const [name, probe] of Object.entries(probes)) {
    try {
      await probe();
      open.push(name);
    } catch {}
  }
  page.onmessage = () => page.postMessage({ done: JSON.stringify({ value: JSON.stringify([origin, open, Object.keys(probes).length]) }) });
  page.postMessage("ready");
};
"""


def test_nothing_leads_out_of_the_sandbox(page: Page, context: BrowserContext, url: str, fake: Fake) -> None:
    """Whatever Python hides: the browser itself keeps the worker from the network, the site and its storage."""
    script = PROBES % json.dumps(url)
    context.route("**/sandbox/python.js", lambda route: route.fulfill(body=script, content_type="text/javascript"))
    fake()
    ready(page, url)
    asked: list[str] = []
    loaded = page.evaluate("async () => (await import('./page/sandbox.js')) && 0")
    context.on("response", lambda response: asked.append(response.url))  # to what was not blocked
    value = json.loads(page.evaluate(RUN, [[["1"]], 30])[0]["value"])
    assert value == ["null", [], 12]
    files = re.compile(r"((page|sandbox)/\w+\.(js|py)|(pyodide/|wheels/numpy-)[\w.-]+|sandbox\.html|site\.json)$")
    assert loaded == 0
    assert [one for one in asked if not files.search(one) and not one.startswith(("data:", "blob:"))] == []


def test_the_sandbox_needs_no_network_later(chromium: Chromium, url: str) -> None:
    context = chromium.browser().new_context()
    stand_in(context)
    page = context.new_page()
    ready(page, url)
    page.wait_for_selector("body[data-offline=true]", timeout=60_000)
    page.reload()  # which the service worker answers
    context.set_offline(True)
    run = page.evaluate(RUN, [[["import numpy; int(numpy.arange(4).sum())"]], 30])[0]
    context.close()
    assert run["value"] == "6"


def test_firefox_keeps_the_walls_too(firefox: Firefox, url: str) -> None:
    firefox.open(url)
    codes = [
        ["import numpy; int(numpy.arange(4).sum())"],
        ["import js"],
        ["bytearray(2 * 1024**3)"],
        ["while True: pass", 1000],
    ]
    runs = firefox.evaluate(f"({RUN})({json.dumps([codes, 30])})")
    assert runs[0]["value"] == "6"
    assert [run["error"].splitlines()[-1][:20] for run in runs[1:]] == [
        "ImportError: js is n",
        "Python has 1 GiB of ",
        "Stopped.",
    ]


def call(name: str, arguments: str, id: str = "one") -> list[dict[str, Any]]:
    """The pieces of an answer that are a call."""
    half = len(arguments) // 2
    first = {"index": 0, "id": id, "name": name, "arguments": arguments[:half]}
    return [{"calls": [first]}, {"calls": [{"index": 0, "id": "", "name": "", "arguments": arguments[half:]}]}]


def python(code: str) -> list[dict[str, Any]]:
    """A call of Python."""
    return call("python", json.dumps({"code": code}))


def choose(page: Page, name: str, value: str) -> None:
    """Choose something in the settings."""
    settings(page, "tools")
    page.check(f"input[name={name}][value={value}]")
    page.keyboard.press("Escape")


def test_the_model_runs_python_when_it_is_let(page: Page, url: str, fake: Fake) -> None:
    problems = fails(page)
    code = 'import plot\nplot.line([1, 4, 9])\ndisplay([{"n": 7}])\nprint("a sum:")\n6 * 7'
    fake(echo=True, answers=[["Let me see. ", *python(code)]])
    ready(page, url)
    ask(page)
    wait_answers(page, 1)
    assert "tools" not in sent(page)["sampling"]  # not unless the visitor wants it
    assert not page.evaluate(
        "performance.getEntriesByType('resource').some(({ name }) => /sandbox|tools\\.js/.test(name))"
    )
    choose(page, "python", "ask")
    page.locator("#new-chat").click()
    script(page, echo=False)
    ask(page, "What is 6 * 7?")
    called = page.locator(".called")
    expect(called.locator(".call pre").first).to_have_text(code)
    expect(called.locator(".status")).to_have_text("wants to run")
    page.reload()  # it waits, whatever happens
    script(page, echo=True)
    page.get_by_role("button", name="Run", exact=True).click()
    wait_answers(page, 2)
    messages = sent(page)["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "tool"]
    assert messages[1]["tool_calls"][0]["function"] == {"name": "python", "arguments": json.dumps({"code": code})}
    assert messages[2]["content"] == "a sum:\n[A plot is shown to the user.]\nn\n7\n42"
    assert [tool["function"]["name"] for tool in sent(page)["sampling"]["tools"]] == ["python"]
    for _ in range(2):  # as it came, and as it was kept
        expect(called.locator(".output")).to_have_text("a sum:\n42")
        expect(called.locator("td")).to_have_text("7")
        page.wait_for_function("() => document.querySelector('.called img').naturalWidth === 640")
        page.reload()
    assert problems == []


def test_a_run_can_be_declined_and_stopped(page: Page, url: str, fake: Fake) -> None:
    fake(answers=[python("while True: print('on and on')")])
    ready(page, url)
    choose(page, "python", "ask")
    ask(page)
    run, decline = (page.get_by_role("button", name=name, exact=True) for name in ("Run", "Don\u2019t run"))
    run.click()
    expect(page.locator(".called .output")).to_contain_text("on and on", timeout=60_000)
    page.locator("#stop").click()
    expect(page.locator(".called .output")).to_contain_text("Stopped.")
    script(page, echo=True)
    decline.click()  # it waits again
    wait_answers(page, 2)
    assert sent(page)["messages"][-1]["content"] == "The user did not let this run."


def test_a_run_takes_the_place_of_what_goes_on_elsewhere(page: Page, url: str, fake: Fake) -> None:
    problems = fails(page)
    fake(answers=[python("6 * 7"), ["and on "] * 1000], pace=30)
    ready(page, url)
    choose(page, "python", "ask")
    ask(page, "What is 6 * 7?")
    run = page.get_by_role("button", name="Run", exact=True)
    run.wait_for()
    page.click("#new-chat")
    ask(page, "Talk on.")
    expect(page.locator(".message.assistant .text")).to_contain_text("and on and on")
    page.click("#conversations .open:has-text('6 * 7')")
    run.click()
    expect(page.locator(".called .output").first).to_have_text("42", timeout=60_000)
    page.click("#conversations .open:has-text('Talk')")
    expect(page.locator(".message.assistant[data-state=ended] .stats")).to_contain_text("stopped")
    assert problems == []


OWN = """
let count = 0;
export default [
  {
    name: "count",
    description: "Counts.",
    parameters: { type: "object", properties: { by: { type: "number" } } },
    run: ({ by }) => (by ? { count: (count += by) } : Promise.reject(new Error("by what?"))),
  },
];
"""


def test_the_site_has_functions_of_its_own(context: BrowserContext, dist: Path, tmp_path: Path, fake: Fake) -> None:
    tools = tmp_path / "own.js"
    tools.write_text(OWN)
    model = next((dist / "models").iterdir())
    build([models.given_model(str(model))], Brand(), tmp_path / "dist", tools=tools)
    fake(answers=[call("count", '{"by": 2}'), call("count", "{}"), call("gone", "{}"), call("count", "nothing")])
    page = context.new_page()
    with serving.serving(tmp_path / "dist") as url:
        ready(page, url)
        # The model is told of them once they are loaded.
        page.wait_for_function("(url) => performance.getEntriesByName(url).length > 0", arg=f"{url}tools.js")
        ask(page)
        wait_answers(page, 9)  # then it has called often enough, and the visitor is asked
        expect(page.get_by_role("button", name="Run", exact=True)).to_be_visible()
        outputs = page.locator(".called .output").all_text_contents()
        said = ['{"count":2}', "by what?", "There is no function called “gone”."]
        assert outputs[:3] == said
        assert "JSON" in outputs[3]
        choose(page, "site-tools", "false")
        script(page, echo=True)
        ask(page)
        wait_answers(page, 10)
        assert "tools" not in sent(page)["sampling"]


class Mcp(http.server.BaseHTTPRequestHandler):
    """A server of the Model Context Protocol with one tool, a word at a time; it forgets its first session."""

    asked: ClassVar[list[str]] = []
    sessions = 0
    forgotten = False

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""

    def reply(self, status: int, kind: str = "", body: str = "", session: str = "") -> None:
        self.send_response(status)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Allow-Headers", "content-type, mcp-session-id, mcp-protocol-version")
        self.send_header("Access-Control-Expose-Headers", "mcp-session-id")
        self.send_header("Content-Length", str(len(body.encode())))
        if kind:
            self.send_header("Content-Type", kind)
        if session:
            self.send_header("mcp-session-id", session)
        self.end_headers()
        self.wfile.write(body.encode())

    def do_OPTIONS(self) -> None:
        self.reply(204)

    def do_POST(self) -> None:
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        method, id = message.get("method"), message.get("id")
        Mcp.asked.append(method or "answer")
        session = self.headers.get("mcp-session-id", "")
        if method == "initialize":
            assert not session
            Mcp.sessions += 1
            about = {"protocolVersion": "2025-03-26", "capabilities": {"tools": {}}, "serverInfo": {"name": "test"}}
            return self.result(id, about, session=f"s{Mcp.sessions}")
        assert self.headers["mcp-protocol-version"] == "2025-03-26"
        if session != f"s{Mcp.sessions}" or (method == "tools/call" and not Mcp.forgotten):
            Mcp.forgotten = True
            return self.reply(404)
        if id is None or method is None:
            return self.reply(202)
        if method == "tools/list" and not message["params"]:
            tool = {"name": "say.it", "description": "Says it.", "inputSchema": {"type": "object"}}
            return self.result(id, {"tools": [tool], "nextCursor": "more"})
        if method == "tools/list":
            return self.result(id, {"tools": [{"name": "fails"}]})
        called = message["params"]
        if called["name"] == "fails":
            return self.result(id, {"content": [{"type": "text", "text": "it fails"}], "isError": True})
        said = [{"type": "text", "text": str(called["arguments"])}, {"type": "image", "data": ""}]
        answer = {"jsonrpc": "2.0", "id": id, "result": {"content": said}}
        events = [{"method": "notifications/progress"}, {"id": 99, "method": "ping"}, answer]
        stream = "".join(f": word\r\nevent: message\r\ndata: {json.dumps(event)}\r\n\r\n" for event in events)
        return self.reply(200, "text/event-stream", stream)

    def result(self, id: int, result: Any, session: str = "") -> None:
        self.reply(200, "application/json", json.dumps({"jsonrpc": "2.0", "id": id, "result": result}), session)


@contextlib.contextmanager
def mcp() -> Iterator[str]:
    """The address of such a server."""
    server = http.server.ThreadingHTTPServer(("localhost", 0), Mcp)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}/mcp"
    server.shutdown()
    server.server_close()


REACHES = "(address) => fetch(address, { mode: 'no-cors' }).then(() => true, () => false)"


def test_servers_that_the_visitor_names_have_functions(page: Page, url: str, fake: Fake) -> None:
    problems = fails(page)
    fake(answers=[call("say_it", '{"it": "hello"}'), call("fails", "{}")])
    ready(page, url)
    with mcp() as address:
        settings(page, "tools")
        page.fill("#setting-servers", "http://example.org/mcp")
        page.press("#setting-servers", "Tab")
        expect(page.locator("#setting-servers-problem")).to_contain_text("not an https address")
        assert page.locator("iframe").count() == 0
        page.fill("#setting-servers", address)
        page.press("#setting-servers", "Tab")
        page.locator("iframe").wait_for(state="attached")
        page.keyboard.press("Escape")
        page.reload()  # it is remembered
        ready(page, url)
        page.wait_for_function("() => frames[0]?.server")
        frame = page.frame(url=re.compile(r"mcp\.html"))
        assert frame
        assert frame.evaluate(REACHES, address)
        assert not frame.evaluate(REACHES, f"{address}/other")  # its policy names this one alone
        assert not page.evaluate(REACHES, address)  # and the page's none
        ask(page)
        expect(page.locator(".called .status")).to_have_text("wants to run")  # what it is told leaves the device
        run = page.get_by_role("button", name="Run", exact=True)
        run.click()
        expect(page.locator(".called .output").first).to_have_text("{'it': 'hello'}\n[image]")
        script(page, echo=True)
        run.click()
        wait_answers(page, 3)
        assert [message.get("content") for message in sent(page)["messages"] if message["role"] == "tool"] == [
            "{'it': 'hello'}\n[image]",
            "it fails",
        ]
        assert [tool["function"]["name"] for tool in sent(page)["sampling"]["tools"]] == ["say_it", "fails"]
    assert Mcp.asked.count("initialize") >= 2  # and once more where the session was forgotten
    assert "answer" in Mcp.asked  # to what the server asked
    assert problems == []
