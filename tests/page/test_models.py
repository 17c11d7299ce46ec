"""The dialog of models and what it leads to, with the real engine and tiny models; and what can go wrong with a GPU."""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import os
import re
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gguf
import pytest
import tiny
from page.model_server import ModelServer
from page.pages import DROP, ask, stop_when_it_talks, wait_state
from playwright.sync_api import BrowserContext, Page, Route, expect

from web.build import models, paths, serving
from web.build.brand import Brand
from web.build.browser import WORKER
from web.build.site import build

if TYPE_CHECKING:
    from web.build.browser import Chromium

pytestmark = pytest.mark.slow


Fake = Callable[..., None]
HUB = "https://huggingface.co"


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Python's own server of a folder: no ranges, no special headers."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A site of two models, the second in parts, on a plain static server, in a subfolder of it; and its address."""
    folder = tmp_path_factory.mktemp("models")
    files = [folder / "first.gguf", folder / "second.gguf"]
    tiny.write_tiny_llama(files[0])
    tiny.write_tiny_llama(files[1], layers=3, seed=1)
    brand = Brand("A demo", colour="#8a2be2")
    build([models.given_model(str(path)) for path in files], brand, folder / "root/some/folder", 600_000)
    handler = functools.partial(Quiet, directory=str(folder / "root"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://localhost:{server.server_port}/some/folder/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def server() -> Iterator[ModelServer]:
    made = ModelServer()
    yield made
    made.close()


def open_models(page: Page) -> None:
    page.click("#model-button")
    expect(page.locator("#models .offer").first).to_be_visible()


def offer(page: Page, name: str) -> Any:
    return page.locator("#models .offer").filter(has=page.get_by_text(name, exact=True))


def load(page: Page, reference: str) -> None:
    """Name a model in the dialog."""
    open_models(page)
    page.fill("#model-reference", reference)
    page.press("#model-reference", "Enter")


def wait_model(page: Page, name: str) -> None:
    """Wait until this one is loaded."""
    expect(page.locator("#model-name")).to_have_text(name)
    wait_state(page, "ready")


def size_of(path: Path) -> str:
    """As the page has it."""
    return f"{path.stat().st_size / 1e3:,.0f} kB"


def gpu_bytes(page: Page, name: str) -> str:
    """What the card of the loaded model says, which may just be taking the place of another's."""
    details = page.get_by_role("button", name=f"Details: {name}")
    details.click()
    found = offer(page, name).locator(".card dd").last.text_content() or ""
    details.click()
    expect(offer(page, name).locator("p.facts")).to_contain_text(found)
    return found


GONE = {  # what Hugging Face answers, and what is said of it
    "unknown": (401, "RepoNotFound", "Hugging Face has no unsloth/Qwen3.5-0.8B-GGUF for everyone: it was renamed"),
    "not there": (404, None, "Hugging Face has no unsloth/Qwen3.5-0.8B-GGUF for everyone: it was renamed"),
    "no such revision": (404, "RevisionNotFound", "has no revision main"),
    "terms to agree to": (403, "GatedRepo", "download it there, and choose its file here"),
    "busy": (429, None, "it answered 429. Try again later"),
    "broken": (503, None, "it answered 503. Try again later"),
    "odd": (418, None, "shows no files of unsloth/Qwen3.5-0.8B-GGUF: it answered 418"),
    "a sign-in page": (200, None, "is there a network that wants you to sign in"),
    "renamed file": (
        200,
        [{"path": "other.gguf", "size": 9}],
        "has no Qwen3.5-0.8B-Q4_K_M.gguf; its models are: other.gguf",
    ),
    "no network": (None, None, "huggingface.co could not be asked: there is no connection to its server"),
}


def test_a_suggested_model_that_is_gone(page: Page, context: BrowserContext, site: tuple[Path, str]) -> None:
    def hub(route: Route) -> None:
        status, body, _ = answer
        headers = {"access-control-allow-origin": "*", "access-control-expose-headers": "X-Error-Code"}
        if status is None:
            route.abort("internetdisconnected")
        elif isinstance(body, list):
            route.fulfill(json=body, headers=headers)
        else:
            more = {"x-error-code": body} if body else {}
            route.fulfill(status=status, body="<html>", headers=headers | more)

    context.route(f"{HUB}/**", hub)
    page.goto(site[1])
    wait_model(page, "first")
    open_models(page)
    for answer in GONE.values():
        offer(page, "Qwen3.5 0.8B").get_by_role("button").last.click()
        expect(offer(page, "Qwen3.5 0.8B").locator(".why")).to_contain_text(answer[2])
        expect(page.locator("#models")).to_be_visible()
    wait_model(page, "first")  # the one in use is still there


def test_models_are_chosen_and_changed(
    page: Page,
    context: BrowserContext,
    site: tuple[Path, str],
    server: ModelServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder, url = site
    requests: list[tuple[str, str]] = []
    context.on("request", lambda request: requests.append((request.method, request.url)))
    hub_model = tiny.write_tiny_llama(tmp_path / "hub.gguf", seed=2).read_bytes()

    def hub(route: Route) -> None:
        """Hugging Face as its documentation describes it: a folder's files, how a model is sampled, and a file."""
        entry = {"path": "sub/x.gguf", "size": 9, "lfs": {"oid": sha256, "size": len(hub_model)}}
        if "/api/models/" in route.request.url:
            route.fulfill(json=[entry], headers={"access-control-allow-origin": "*"})
        elif route.request.url.endswith("generation_config.json"):
            route.fulfill(json={"top_k": 1}, headers={"access-control-allow-origin": "*"})
        else:
            headers = {"access-control-allow-origin": "*", "content-length": str(len(hub_model))}
            route.fulfill(body=hub_model, headers=headers)

    sha256 = hashlib.sha256(hub_model).hexdigest()
    context.route(f"{HUB}/**", hub)
    page.goto(url)
    wait_model(page, "first")

    # The site's own and the suggested ones, with size, licence and memory; the card of the one in use.
    open_models(page)
    expect(page.locator("#models .offer").first).to_have_class("offer current")
    expect(offer(page, "first")).to_contain_text("In use")
    expect(offer(page, "first").locator(".size")).to_have_text(size_of(folder / "first.gguf"))
    for row in page.locator("#models .offer:not(.current)").all():
        assert re.search(r"(?s)\d [kMG]B.*(Fits|Tight|Too large)", row.inner_text())
        expect(row.locator("p.facts")).to_contain_text(re.compile(r"[Nn]eeds about \d.* [MG]B of GPU memory"))
    expect(offer(page, "Qwen3.5 0.8B").locator(".size")).to_have_text("533 MB")
    expect(offer(page, "Qwen3.5 0.8B").locator("p.facts")).to_contain_text("Apache-2.0")
    expect(page.locator("#models .storage")).to_contain_text(re.compile(r"uses \d.* of the \d"))
    page.get_by_role("button", name="Details: first").click()
    facts = page.locator("#models .card dl")
    reader = gguf.GGUFReader(folder / "first.gguf")
    expect(facts).to_contain_text(f"{sum(int(tensor.n_elements) for tensor in reader.tensors):,}")
    for summary in page.locator("#models .card details summary").all():
        summary.click()
    tables = page.locator("#models .card .scroll")
    expect(tables.nth(1)).to_contain_text("llama.attention.head_count_kv")
    expect(tables.nth(2)).to_have_text(reader.fields["tokenizer.chat_template"].contents())
    assert page.locator("#models .card .scroll").nth(3).locator("tbody tr").count() == len(reader.tensors)
    page.get_by_role("button", name="Details: first").click()
    used = gpu_bytes(page, "first")
    page.keyboard.press("Escape")

    # Another one, in parts; the conversation stays. Back again: nothing of the other is left on the GPU.
    ask(page)
    stop_when_it_talks(page)
    open_models(page)
    offer(page, "second").get_by_text("Download").click()
    wait_model(page, "second")
    expect(page.locator(".message.user")).to_have_count(1)
    open_models(page)
    assert gpu_bytes(page, "second") != used
    offer(page, "first").get_by_text("Use", exact=True).click()
    wait_model(page, "first")
    open_models(page)
    assert gpu_bytes(page, "first") == used
    page.keyboard.press("Escape")

    # What can't be read leaves the one in use where it is.
    load(page, "./nonsense.gguf")
    expect(page.locator("#models .why")).to_contain_text("The server has no")
    page.keyboard.press("Escape")
    load(page, f"{server.url}model.gguf")  # a good beginning, then nine megabytes of noise
    expect(page.locator(".toast")).to_contain_text("only versions 2 and 3")
    wait_model(page, "first")

    # From an address, with a pause; then given up, and gone on with.
    server.put(tiny.write_tiny_llama(tmp_path / "model.gguf", vocabulary=16_000, seed=3).read_bytes())
    server.pace = 0.3
    load(page, f"{server.url}model.gguf")
    expect(page.locator("#status")).to_contain_text(re.compile(r"Downloading the model: [\d.]+ of [\d.]+ MB"))
    expect(page.locator("#detail")).to_contain_text("left")
    page.click("#loading .acts >> text=Pause")
    expect(page.locator("#detail")).to_have_text("Paused")
    page.click("#loading .acts >> text=Resume")
    expect(page.locator("#detail")).not_to_have_text("Paused")
    page.click("#loading .acts >> text=Cancel")
    wait_model(page, "first")  # the one from before
    server.pace = 0
    server.requests.clear()
    load(page, f"{server.url}model.gguf")
    wait_model(page, "model")
    assert any(asked and asked != "bytes=0-" for _, asked in server.requests)

    # From Hugging Face, and what is not there.
    load(page, "owner/repo/sub/none.gguf")
    expect(page.locator("#models .why")).to_contain_text("its models are: sub/x.gguf")
    page.fill("#model-reference", "owner/repo/sub/x.gguf@v1")
    page.press("#model-reference", "Enter")
    wait_model(page, "x")
    assert ("GET", f"{HUB}/owner/repo/resolve/v1/sub/x.gguf") in requests

    # Files of the visitor's: one model in several.
    monkeypatch.setattr(tiny, "GGUFWriter", functools.partial(gguf.GGUFWriter, split_max_tensors=10))
    tiny.write_tiny_llama(tmp_path / "mine.gguf")
    parts = sorted(tmp_path.glob("mine-*.gguf"), reverse=True)
    assert len(parts) > 1
    before = len(requests)
    open_models(page)
    page.set_input_files("#models input[type=file]", parts)
    wait_model(page, "mine")
    assert not [url for _, url in requests[before:] if ".gguf" in url]
    ask(page, "And you?")
    stop_when_it_talks(page, 2)

    # What is kept is listed, and deleted.
    open_models(page)
    page.get_by_role("button", name="Delete second").click()
    expect(offer(page, "second").get_by_text("Download")).to_be_focused()
    page.get_by_role("button", name="Delete x from").click()
    expect(offer(page, "x")).to_have_count(0)
    expect(page.locator("#model-reference")).to_be_focused()

    # Nothing has left the device: the page and models were fetched, and that is all.
    assert {method for method, _ in requests} <= {"GET", "HEAD"}
    ours = (url, server.url, f"{HUB}/owner/repo/", f"{HUB}/api/models/owner/repo/")
    assert not [address for _, address in requests if not address.startswith(ours)]
    assert not [address for _, address in requests if "?" in address.removeprefix(url)]


def test_says_before_the_download_what_does_not_fit(page: Page, site: tuple[Path, str], fake: Fake) -> None:
    fake(room=False)
    page.goto(site[1])
    wait_state(page, "ready")
    open_models(page)
    offer(page, "second").get_by_text("Download").click()
    expect(page.locator("#models .why")).to_contain_text("needs about 100 MB of GPU memory")
    expect(page.locator("#model-name")).to_have_text("first")
    page.click("#models .why button")
    wait_model(page, "second")
    # Chromium tells every page of the same made-up room; others tell the truth.
    page.add_init_script("StorageManager.prototype.estimate = async () => ({ usage: 4e5, quota: 5e5 })")
    fake(room=True, kept=False)
    page.reload()
    wait_model(page, "second")  # the one chosen last
    expect(page.locator(".toast")).to_contain_text("no room to keep second")
    open_models(page)
    expect(page.locator("#models .storage")).to_contain_text("uses 400 kB of the 500 kB")
    offer(page, "first").get_by_text("Download").click()
    expect(page.locator("#models .why")).to_contain_text("there is room for 100 kB on this device")

    # The question that the double answered, put to the GPU.
    has_room = "(bytes) => import('./worker/room.js').then(({ hasRoom }) => hasRoom(bytes))"
    assert page.evaluate(has_room, 5e8) is True
    page.evaluate("GPUDevice.prototype.popErrorScope = async () => new GPUOutOfMemoryError('none left')")
    assert page.evaluate(has_room, 5e8) is False


def test_a_model_is_dropped_on_the_page(page: Page, url: str, fake: Fake) -> None:
    fake(room=True)
    page.goto(url)
    wait_model(page, "tiny")
    page.evaluate(DROP, ["mine.gguf", list(b"GGUF")])
    wait_model(page, "mine")


STRANGE: dict[str, dict[str, Any]] = {
    "llama.rope.freq_base is inf": {"rope.freq_base": float("inf")},
    "tensors of 2 layers, not of 1073741824": {"block_count": 1 << 30},
    "chat template has an error in line 1": {"tokenizer.chat_template": "{% for"},
    "vocabularies of kind 'odd\\u202e' are not supported": {"tokenizer.ggml.model": "odd\u202e"},
}


def test_a_header_that_makes_no_sense_leaves_the_model_in_use_where_it_is(
    page: Page, site: tuple[Path, str], tmp_path: Path
) -> None:
    page.goto(site[1])
    wait_model(page, "first")
    for message, metadata in STRANGE.items():
        path = tiny.write_tiny_llama(tmp_path / "strange.gguf", metadata=metadata)
        open_models(page)
        page.set_input_files("#models input[type=file]", [path])
        expect(page.locator(".toast").last).to_contain_text(message)
        wait_model(page, "first")
    ask(page)
    stop_when_it_talks(page)


def test_the_browser_is_asked_to_keep_models(page: Page, site: tuple[Path, str], fake: Fake) -> None:
    fake(room=True)
    page.add_init_script("""let kept = false;
      navigator.storage.persisted = async () => kept;
      navigator.storage.persist = async () => (kept = true);""")
    page.goto(site[1])
    wait_model(page, "first")
    open_models(page)
    page.click("#models .storage button")
    expect(page.locator("#storage")).to_contain_text("the browser may delete it")
    page.click("#storage >> text=Keep it for good")
    expect(page.locator("#storage")).to_contain_text("has promised to keep it")
    page.reload()
    wait_model(page, "first")
    open_models(page)
    offer(page, "second").get_by_text("Download").click()  # whoever downloads one wants to keep it
    wait_model(page, "second")
    open_models(page)
    page.click("#models .storage button")
    expect(page.locator("#storage")).to_contain_text("has promised to keep it")


def test_too_little_gpu_memory_is_explained(
    page: Page, site: tuple[Path, str], worker_prefix: Callable[[str], None]
) -> None:
    worker_prefix("""
        const create = GPUDevice.prototype.createBuffer;
        GPUDevice.prototype.createBuffer = function (options) {
          if (options.label?.includes("output")) {
            const error = new GPUOutOfMemoryError("none left");
            setTimeout(() => this.dispatchEvent(new GPUUncapturedErrorEvent("uncapturederror", { error })));
          }
          return create.call(this, options);
        };""")
    page.goto(site[1])
    wait_state(page, "error")
    expect(page.locator("#error")).to_contain_text(re.compile(r"does not have the \d.* GB of memory"))
    expect(page.locator("#error")).to_contain_text("choose a smaller model")
    page.click("#problem >> text=Choose another model")
    expect(page.locator("#models")).to_be_visible()


def test_a_lost_gpu_is_explained_and_the_conversation_goes_on(chromium: Chromium, site: tuple[Path, str]) -> None:
    """The GPU process of a browser of its own is really killed."""
    browser = chromium.launch(chromium.flags)
    page = browser.new_page()
    page.set_default_timeout(60_000)
    page.goto(site[1])
    wait_state(page, "ready")
    ask(page, "Do you remember me?")
    expect(page.locator(".message.assistant .text")).not_to_be_empty()
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    os.kill(next(process["id"] for process in processes if process["type"] == "GPU"), signal.SIGTERM)
    expect(page.locator(".toast")).to_contain_text("graphics chip was reset")
    wait_state(page, "ready")
    expect(page.locator(".message.user .text")).to_have_text("Do you remember me?")
    ask(page, "And now?")
    stop_when_it_talks(page, 2)
    browser.close()


def test_works_offline_with_the_model_chosen_last(chromium: Chromium, site: tuple[Path, str]) -> None:
    context = chromium.browser().new_context()
    context.set_default_timeout(60_000)
    page = context.new_page()
    with serving.serving(site[0] / "root/some/folder") as url:
        page.goto(f"{url}?model=second")
        wait_model(page, "second")
        page.wait_for_selector("body[data-offline=true]")
    context.set_offline(True)  # and the server is gone
    page.goto(f"{url}index.html")
    wait_model(page, "second")
    ask(page)
    stop_when_it_talks(page)
    context.close()


def test_an_update_leaves_open_tabs_alone(chromium: Chromium, site: tuple[Path, str], tmp_path: Path) -> None:
    folder = tmp_path / "dist"
    shutil.copytree(site[0] / "root/some/folder", folder)
    (folder / "worker" / "worker.js").write_text("const script = { pieces: [], pace: 0 };\n" + WORKER.read_text())
    context = chromium.browser().new_context()
    context.set_default_timeout(60_000)
    page, other = context.new_page(), context.new_page()
    with serving.serving(folder) as url:
        page.goto(url)
        page.wait_for_selector("body[data-offline=true]")
        page.reload()
        other.goto(url)
        wait_state(other, "ready")
        about = json.loads((folder / "site.json").read_text())
        (folder / "site.json").write_text(json.dumps({**about, "version": "another", "title": "The new version"}))
        (folder / "worker" / "worker.js").write_text("postMessage('the new worker');")
        page.reload()
        expect(page.locator("#update")).to_be_visible()
        expect(page.locator("#title")).to_have_text("A demo")  # announced, not forced
        page.click("#update button")
        expect(page.locator("#title")).to_have_text("The new version")
        started = """import("./page/trusted.js").then(({ workerAddress }) => new Promise((resolve) => {
          const worker = new Worker(workerAddress("worker/worker.js"), { type: "module" });
          worker.onmessage = ({ data }) => resolve(data.type ?? data);
          worker.postMessage({ type: "load", id: 1, options: {} });
        }))"""
        assert page.evaluate(started) == "the new worker"
        assert other.evaluate(started) == "ready"
        assert other.evaluate("fetch('site.json').then((answer) => answer.json())")["title"] == "A demo"
        assert len(page.evaluate("caches.keys()")) == 2
        expect(other.locator("#update")).to_be_visible()
        other.click("#update button")  # the other tab follows when its visitor wants
        expect(other.locator("#title")).to_have_text("The new version")
        page.reload()
        page.wait_for_function("caches.keys().then((names) => names.length === 1)", polling=100)
    context.close()


def test_the_page_can_be_installed(page: Page, context: BrowserContext, site: tuple[Path, str], fake: Fake) -> None:
    fake()
    page.goto(site[1])
    session = context.new_cdp_session(page)
    manifest = session.send("Page.getAppManifest")
    assert not manifest["errors"]
    assert json.loads(manifest["data"])["name"] == "A demo"
    errors = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [error["errorId"] for error in errors] in ([], ["in-incognito"])
    accent = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--accent')")
    assert accent == "#8a2be2"
    expect(page).to_have_title("A demo")


def test_names_of_models_are_read_as_python_reads_them(page: Page, url: str, fake: Callable[..., None]) -> None:
    cases = dict(json.loads((paths.ROOT / "tests" / "data" / "references.json").read_text()))
    fake()
    page.goto(url)
    asked = """async (names) => {
      const { addressOf } = await import("./shared/reference.js");
      return names.map(addressOf);
    }"""
    assert dict(zip(cases, page.evaluate(asked, list(cases)), strict=True)) == cases
