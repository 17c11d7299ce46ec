"""The built page with the real engine and a tiny random model: what a visitor does with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import tiny
from page.pages import QUESTION, ask, fails, ready, settings, source, stop_when_it_talks, wait_state
from playwright.sync_api import BrowserContext, Page, expect

from web.build import models, serving
from web.build.brand import Brand
from web.build.site import build

if TYPE_CHECKING:
    from web.build.browser import Chromium, Firefox

pytestmark = pytest.mark.slow


def test_chat(page: Page, context: BrowserContext, url: str) -> None:
    problems = fails(page)
    hosts: set[str] = set()
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    context.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    ready(page, url)
    expect(page).to_have_title("py_wgml")
    ask(page)
    stop_when_it_talks(page)
    wait_state(page, "ready")
    expect(page.locator(".message.user .text")).to_have_text(QUESTION)
    expect(page.locator(".message.assistant .stats")).to_contain_text("tokens")
    expect(page.locator("#context .numbers")).to_contain_text("tokens")
    ask(page, "And of Spain?")
    stop_when_it_talks(page, 2)
    assert not problems, problems
    assert hosts == {urlsplit(url).netloc}


def test_stop_ends_the_answer_and_keeps_what_came(page: Page, url: str) -> None:
    ready(page, url)
    ask(page)
    page.wait_for_selector(".message.assistant .text:not(:empty)")
    page.click("#stop")
    wait_state(page, "ready")
    expect(page.locator(".message.assistant .stats")).to_contain_text("stopped")
    expect(page.locator(".message.assistant .text")).not_to_be_empty()
    expect(page.locator("#send")).to_be_visible()


def test_answers_go_on_come_anew_and_make_room(page: Page, url: str) -> None:
    ready(page, url)
    ask(page)
    stop_when_it_talks(page)
    answer = page.locator(".message.assistant").last
    begun, shown = source(page), answer.locator(".text").inner_text()
    answer.get_by_label("Continue").click()
    stop_when_it_talks(page, after=shown)
    assert source(page).startswith(begun)
    wait_state(page, "ready")
    answer.get_by_label("Regenerate").click()
    stop_when_it_talks(page)
    wait_state(page, "ready")
    expect(answer.locator(".branches")).to_contain_text("2 / 2")
    ask(page, "word " * 150)  # a token a letter: the context holds 1024
    stop_when_it_talks(page, 2)
    wait_state(page, "ready")
    ask(page)  # what there is room for, in letters, fits without what was before
    expect(answer.locator(".stats")).to_contain_text("context full", timeout=120_000)
    page.click("text=Forget the oldest messages")
    expect(page.locator(".message[data-first=true]")).to_have_count(1)
    stop_when_it_talks(page, 3)


def choose_8_bit(page: Page) -> None:
    settings(page, "memory")
    page.get_by_role("group", name="Context precision").get_by_label("8 bit").check()
    page.click("#settings .close")


def test_the_conversation_can_take_half_the_memory(page: Page, tmp_path: Path) -> None:
    def gpu_bytes() -> float:
        page.click("#model-button")
        page.click("#models .offer.current .details")
        number, unit = (page.locator("#models .card dd").last.text_content() or "").split()
        page.click("#models .close")
        return float(number) * {"kB": 1e3, "MB": 1e6}[unit]

    model = tiny.write_tiny_llama(tmp_path / "tiny.gguf", embedding=128)  # heads of 32 elements, as 8 bit needs them
    build([models.given_model(str(model))], Brand(), tmp_path / "dist")
    with serving.serving(tmp_path / "dist") as url:
        page.goto(url)
        wait_state(page, "ready")
        before = gpu_bytes()
        choose_8_bit(page)
        wait_state(page, "loading")
        wait_state(page, "ready")
        after = gpu_bytes()
        assert after < before
        ask(page)
        stop_when_it_talks(page)
        page.reload()  # the choice is kept
        wait_state(page, "ready")
        assert gpu_bytes() == after


def test_a_model_that_takes_no_8_bit_says_so_and_stays(page: Page, url: str) -> None:
    ready(page, url)
    choose_8_bit(page)
    expect(page.locator(".toast")).to_contain_text("choose 16 bit in the settings")
    wait_state(page, "ready")
    ask(page)
    stop_when_it_talks(page)


def test_new_chat_leaves_a_running_answer(page: Page, url: str) -> None:
    ready(page, url)
    ask(page, "The first conversation")
    expect(page.locator(".message.assistant .text")).not_to_be_empty()
    page.click("#new-chat")
    expect(page.locator(".message")).to_have_count(0)
    expect(page.locator("#welcome")).to_be_visible()
    ask(page, "The second one")
    stop_when_it_talks(page)
    expect(page.locator(".message.user .text")).to_have_text("The second one")


def test_a_question_asked_while_loading_is_sent_when_ready(page: Page, url: str) -> None:
    page.goto(url)
    ask(page)
    expect(page.locator(".message.user .text")).to_have_text(QUESTION)
    stop_when_it_talks(page)
    expect(page.locator(".message.assistant .stats")).to_contain_text("token")


def test_chats_without_a_place_to_keep_the_model(page: Page, url: str, worker_prefix: Callable[[str], None]) -> None:
    worker_prefix("delete StorageManager.prototype.getDirectory;")
    ready(page, url)
    ask(page)
    stop_when_it_talks(page)


def test_a_model_that_is_not_there_is_explained_and_can_be_tried_again(
    page: Page, context: BrowserContext, url: str
) -> None:
    context.route("**/*.gguf", lambda route: route.fulfill(status=404))
    page.goto(url)
    wait_state(page, "error")
    expect(page.locator("#error")).to_contain_text("the server answered 404")
    ask(page)  # kept until there is somebody to answer it
    context.unroute("**/*.gguf")
    page.click("#problem .retry")
    stop_when_it_talks(page)
    expect(page.locator("#error")).to_be_hidden()


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("Object.defineProperty(window, 'isSecureContext', { value: false })", "secure address"),
        ("delete Navigator.prototype.gpu", "has no WebGPU"),
        ("GPU.prototype.requestAdapter = async () => null", "no graphics chip"),
    ],
)
def test_says_so_when_there_is_no_webgpu(
    page: Page, context: BrowserContext, url: str, script: str, reason: str
) -> None:
    models: list[str] = []
    context.on("request", lambda request: models.append(request.url) if request.url.endswith(".gguf") else None)
    page.add_init_script(script)
    page.goto(url)
    wait_state(page, "unsupported")
    expect(page.locator("#unsupported-reason")).to_contain_text(reason)
    expect(page.locator("#prompt")).to_be_disabled()
    assert not models  # nothing is downloaded that can't be used


def test_says_so_when_workers_have_no_webgpu(page: Page, url: str, worker_prefix: Callable[[str], None]) -> None:
    worker_prefix("delete WorkerNavigator.prototype.gpu;")
    page.goto(url)
    wait_state(page, "unsupported")


def test_the_benchmark_page_measures_by_itself(chromium: Chromium, url: str) -> None:
    context = chromium.browser().new_context()
    page = context.new_page()
    page.goto(f"{url}bench.html?model=0,0&prompt_tokens=16,32&prompt_repetitions=2&generate_tokens=4&repetitions=1")
    expect(page.locator("#status")).to_have_text("Done", timeout=300_000)
    result, again = json.loads(page.locator("#result").text_content() or "")["models"]
    assert result["model"] == again["model"]
    assert all(0 < visit["ready"] < 100 for visit in result["warm"]) and len(result["warm"]) == 1
    assert 0 < result["cold"]["ready"] < 100
    first, second = result["chat"]
    assert first["send_to_first_text"] > 0
    # The first turn's prompt is not processed again. (Its answer, random bytes, may read as other tokens.)
    assert second["processed_tokens"] <= second["usage"]["prompt_tokens"] - first["usage"]["prompt_tokens"]
    assert result["offline"]
    assert result["bench"]
    rows = page.locator("#summary tr").evaluate_all(
        "(rows) => rows.map((row) => [...row.cells].map((cell) => cell.innerText))"
    )
    assert rows[0] == ["", "tiny", "tiny"] and [row[0] for row in rows[1:]] == list(result["bench"]["summary"])
    assert all(float(cell.replace(",", "")) > -1e6 for row in rows[1:] for cell in row[1:])
    short = result["first_text"][0]
    assert 0 < short["processed_tokens"] <= short["prompt_tokens"]
    # One behind the other, they are all there is.
    stages = [stage["low"] for stage in short["stages"].values()]
    assert len(stages) == 10 and min(stages) > -1
    assert sum(stages) <= short["total"]["median"] + 1
    context.close()


def test_firefox(firefox: Firefox, url: str) -> None:
    firefox.open(url)
    firefox.wait_for("document.body.dataset.state === 'ready'", timeout=120)
    firefox.evaluate("document.querySelector('#prompt').focus()")
    firefox.type("Hello\ue007")
    firefox.wait_for("document.querySelector('.message.assistant .text').textContent.length > 0", timeout=120)
    firefox.evaluate("document.querySelector('#stop').click()")  # ten tokens a second, and this model talks on
    firefox.wait_for("document.querySelector('.message.assistant').dataset.state === 'ended'", timeout=60)
    assert "token" in firefox.evaluate("document.querySelector('.message.assistant .stats').textContent")
    assert firefox.evaluate("document.querySelector('.message.assistant .text').textContent")
