"""A GPU that computes something wrong, in the page: what the page does without, says and remembers; and the report."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import tiny
from page.pages import ask, fails, ready, stop_when_it_talks
from playwright.sync_api import Page, expect

from web.build import models, serving
from web.build.brand import Brand
from web.build.site import build

if TYPE_CHECKING:
    from web.build.browser import Chromium

pytestmark = pytest.mark.slow

# Every kernel with shuffles is another one, which computes something else; and told of.
LIE = """{
  const make = GPUDevice.prototype.createShaderModule;
  GPUDevice.prototype.createShaderModule = function (given) {
    const code = given.code.replaceAll("sum += subgroupShuffleXor", "sum -= subgroupShuffleXor");
    if (code !== given.code) console.log("a lie");
    return make.call(this, { ...given, code });
  };
}"""
# What can't be compiled with subgroups.
REFUSAL = LIE.replace("sum -= subgroupShuffleXor", "sum -= no_such_function")


def remembered(page: Page) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads(page.evaluate("localStorage.getItem('gpu trial')"))
    return found


@pytest.mark.parametrize(
    ("wrong", "told"), [(LIE, "is wrong by"), (REFUSAL, "does not compile")], ids=["lie", "refusal"]
)
def test_what_is_wrong_is_not_used(
    page: Page, url: str, worker_prefix: Callable[[str], None], wrong: str, told: str
) -> None:
    problems, lies = fails(page), list[str]()
    page.on("console", lambda message: lies.append(message.text) if message.text == "a lie" else None)
    worker_prefix(wrong)
    ready(page, url)
    page.click("#model-button")
    page.click("#models .offer.current .details")
    expect(page.locator("#models .card dt").filter(has_text="Not used on this GPU")).to_have_count(1)
    expect(page.locator("#models .card dd").filter(has_text="subgroups (").filter(has_text=told)).to_have_count(1)
    page.keyboard.press("Escape")
    ask(page)
    stop_when_it_talks(page)
    trial = remembered(page)
    assert [*trial["distrusted"]] == ["subgroups"] and told in trial["distrusted"]["subgroups"]
    assert all(float(error) < 1e-4 for error in trial["tried"].values())
    assert lies and not problems
    lies.clear()
    ready(page, url)
    assert remembered(page) == trial
    assert not lies  # no such kernel is made any more


def test_a_report_tells_of_the_gpu_and_of_nothing_else(chromium: Chromium, tmp_path: Path) -> None:
    """Of a model that chats and one that embeds."""
    files = [tmp_path / "my secret diary.gguf", tmp_path / "my secret index.gguf"]
    tiny.write_tiny_llama(files[0])
    tiny.write_tiny(files[1], tiny.EMBEDDING["bert"])
    build([models.given_model(str(file)) for file in files], Brand(), tmp_path / "dist")
    context = chromium.browser().new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    options = "prompt_tokens=16,32&prompt_repetitions=2&generate_tokens=4&repetitions=1&texts=2&contexts=0"
    with serving.serving(tmp_path / "dist") as url:
        page.goto(f"{url}bench.html?model=0,1&{options}")
        expect(page.locator("#status")).to_have_text("Done", timeout=300_000)
        chat, embedding = page.evaluate("benchResult.models")
        assert [*embedding["bench"]["summary"]] == ["texts/s of 16 tokens", "texts/s of 128 tokens"]
        assert "chat" in chat and "chat" not in embedding
        page.click("#copy")
        expect(page.locator("#copy")).to_have_text("Copied")
        report = page.evaluate("navigator.clipboard.readText()")
    assert report == page.locator("#report").text_content()
    context.close()
    for what in (
        "swiftshader",
        "maxBufferSize",
        "linear_vector",
        "subgroups",
        "norm: ",
        "texts/s of 16",
        "decode at 0",
    ):
        assert what in report, what
    for secret in ("secret", "diary", url.strip("/").removeprefix("http://"), str(tmp_path), "capital of"):
        assert secret not in report, secret
