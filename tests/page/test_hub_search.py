"""Models searched for on Hugging Face, by the real worker: what is asked, when, and what is told of each answer; and
what fits a device."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable
from typing import Any

import pytest
from page.pages import ready
from playwright.sync_api import BrowserContext, Page, Route, expect

pytestmark = pytest.mark.slow

HUB = "https://huggingface.co"
FOUND = [  # what Hugging Face tells of repositories, as its documentation has it
    {"id": "owner/Small-GGUF", "downloads": 12345, "gated": False, "tags": ["gguf", "license:mit"]},
    {"id": "owner/Odd-GGUF", "downloads": 1, "tags": []},
    {"id": "owner/Terms-GGUF", "downloads": 0, "gated": "manual", "tags": ["license:other"]},
]
FILES = [
    {"path": "small-Q8_0.gguf", "size": 9, "lfs": {"oid": "0" * 64, "size": 639_000_000}},
    {"path": "more/small-Q4_K_M.gguf", "size": 397_000_000},
    {"path": "small-BF16-00001-of-00002.gguf", "size": 5},
    {"path": "mmproj-small-F16.gguf", "size": 5},
    {"path": "README.md", "size": 5},
]


def test_searching_asks_hugging_face_alone(page: Page, context: BrowserContext, url: str) -> None:
    asked: list[str] = []
    answers: list[dict[str, Any]] = [{"json": FOUND}]

    def hub(route: Route) -> None:
        path = route.request.url.removeprefix(f"{HUB}/api/models")
        asked.append(path)
        headers = {"access-control-allow-origin": "*"}
        if "/tree/" in path:
            route.fulfill(json=FILES, headers=headers)
        elif path.startswith("/"):
            route.fulfill(json={"gguf": {"architecture": "odd" if "Odd" in path else "qwen3"}}, headers=headers)
        elif answers[-1]:
            route.fulfill(**answers[-1], headers=headers)
        else:
            route.abort("internetdisconnected")

    def search(text: str) -> None:
        page.fill("#model-reference", text)
        page.click("#models .finder >> text=Search")

    context.route(f"{HUB}/**", hub)
    ready(page, url)
    requests: list[str] = []
    context.on("request", lambda request: requests.append(request.url))
    page.click("#model-button")
    page.locator("#models .offer").first.wait_for()
    found = page.locator("#models .found")
    page.locator("#model-reference").press_sequentially("small & good")
    assert asked == []  # what is typed stays here
    page.keyboard.press("Enter")
    expect(found.locator(".offer .name")).to_have_text([str(row["id"]) for row in FOUND])
    wanted = urllib.parse.parse_qs(asked[0].lstrip("?"))
    assert wanted["search"] == ["small & good"]
    assert wanted["filter"] == ["gguf"]
    expect(found.locator(".offer").nth(0)).to_contain_text("12,345 downloads a month · mit")
    expect(found.locator(".offer").nth(1)).to_contain_text("1 download a month")
    expect(found.locator(".offer").nth(2)).to_contain_text("agree to its terms")
    found.get_by_role("button", name="Show files: owner/Small-GGUF").click()
    expect(found.locator(".files .kind")).to_have_text(["Q4_K_M", "Q8_0"])
    expect(found.locator(".files li").first).to_contain_text("397 MB")
    expect(found.locator(".files .fit").first).to_have_text("Fits")
    found.get_by_role("button", name="Show files: owner/Odd-GGUF").click()
    expect(found).to_contain_text("kind “odd” do not run here")
    assert len(asked) == 5
    for answer, told in (
        ({"json": []}, "Hugging Face has no GGUF files for “odd one”"),
        ({"json": {"error": "?"}}, "is there a network that wants you to sign in"),
        ({"body": "<html>"}, "is there a network that wants you to sign in"),
        ({"status": 429}, "it answered 429. Try again later"),
        ({"status": 400}, "could not search: it answered 400"),
        ({}, "huggingface.co could not be asked: there is no connection to its server"),
    ):
        answers.append(answer)
        search("odd one")
        expect(found).to_contain_text(told)
    answers.append({"json": FOUND})
    search("small")
    found.get_by_role("button", name="Clear").click()
    expect(found).to_be_hidden()
    expect(page.locator("#model-reference")).to_be_focused()
    assert not [address for address in requests if not address.startswith((url, f"{HUB}/api/models"))]


CONFIG = {"do_sample": True, "temperature": 0.6, "top_k": 20, "top_p": 0.95, "eos_token_id": [1, 2]}
ASKED = """async (repository) => {
  const { Engine } = await import("./page/engine.js");
  const engine = new Engine();
  return engine.generationConfig(repository).catch(({ message }) => message).finally(() => engine.close());
}"""
CONFIGS: dict[str, tuple[Any, list[str]]] = {  # what a repository has, and what is asked for
    "its own": (CONFIG, ["repo/x"]),
    "of what it was made of": (CONFIG, ["repo/x", "card", "made/of-it"]),
    "of the first of those": (CONFIG, ["repo/x", "card", "made/of-it"]),
    "of what is not for everyone": ({}, ["repo/x", "card", "made/of-it"]),
    "none": ({}, ["repo/x", "card"]),
    "an odd card": ({}, ["repo/x", "card"]),
    # Nothing of these is kept as an answer: it is asked for again at the next visit.
    "no JSON": ("Instead of how repo/x is sampled came something else: is there a network", ["repo/x"]),
    "busy": ("Hugging Face is busy or out of order: it answered 503.", ["repo/x"]),
    "busy with the card": ("Hugging Face is busy or out of order: it answered 429.", ["repo/x", "card"]),
    "no network": ("huggingface.co could not be asked: there is no connection to its server.", ["repo/x"]),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_how_a_model_is_sampled_is_asked_of_its_repository(
    case: str, page: Page, context: BrowserContext, url: str
) -> None:
    told, expected = CONFIGS[case]
    origin: Any = {"of what it was made of": "made/of-it", "of the first of those": ["made/of-it", "b/c"]}
    origin |= {"of what is not for everyone": "made/of-it", "an odd card": "../../a/b"}
    asked: list[str] = []

    def hub(route: Route) -> None:
        path = route.request.url.removeprefix(f"{HUB}/").removesuffix("/resolve/main/generation_config.json")
        asked.append("card" if path.startswith("api/models/repo/x?expand") else path)
        headers = {"access-control-allow-origin": "*"}
        if case == "no network":
            route.abort("internetdisconnected")
        elif case == "busy" or (asked[-1] == "card" and case == "busy with the card"):
            route.fulfill(status=503 if case == "busy" else 429, headers=headers)
        elif asked[-1] == "card":
            route.fulfill(json={"id": "repo/x", "cardData": {"base_model": origin.get(case)}}, headers=headers)
        elif path == "repo/x" and case not in ("its own", "no JSON"):
            route.fulfill(status=404, headers=headers)
        elif case == "of what is not for everyone":
            route.fulfill(status=401, headers=headers)
        elif case == "no JSON":
            route.fulfill(body="<html>", headers=headers)
        else:
            route.fulfill(json=CONFIG, headers=headers)

    context.route(f"{HUB}/**", hub)
    page.goto(url)
    said = page.evaluate(ASKED, "repo/x")
    assert said.startswith(told) if isinstance(told, str) else said == told
    assert list(dict.fromkeys(asked)) == expected  # why there is no answer is found out by asking again


GB = 1e9
FIT = """async ([number, memory, kept, asked]) => {
  Object.defineProperty(navigator, "deviceMemory", { value: memory, configurable: true });
  localStorage.setItem("gpu room", JSON.stringify(kept));
  const { fitOf, lookAtDevice, measured, memoryOf } = await import(`./page/fits.js?${number}`);
  await lookAtDevice();
  const found = asked.map(fitOf);
  measured("x:model", 3e9);
  return [...found, memoryOf({ url: "x:model", bytes: 1e9 }), memoryOf({ bytes: 1e9 }), fitOf(3e9)];
}"""
DEVICES: list[tuple[float | None, Any, list[float], list[str]]] = [
    (8, None, [1 * GB, 4 * GB, 8 * GB, 40 * GB], ["fits", "fits", "tight", "large"]),
    (4, None, [1 * GB, 3 * GB, 4 * GB], ["fits", "tight", "large"]),
    (4, {"given": 3.5 * GB}, [3.4 * GB, 3.6 * GB], ["fits", "large"]),  # what was given goes before hints
    (8, {"given": 2 * GB, "refused": 3 * GB}, [2 * GB, 2.5 * GB, 3 * GB], ["fits", "fits", "large"]),
    (8, {"given": "x", "refused": -1, "measured": [5]}, [1 * GB, 8 * GB], ["fits", "tight"]),  # of another version
    (8, "no object", [1 * GB], ["fits"]),
]


def test_what_fits_is_told_by_what_is_known(page: Page, url: str, fake: Callable[..., None]) -> None:
    fake()
    ready(page, url)
    for number, (memory, kept, asked, expected) in enumerate(DEVICES):
        *found, measured, guessed, then = page.evaluate(FIT, [number, memory, kept, asked])
        assert found == expected, number
        assert (measured, guessed, then) == (3e9, 1.2e9, "fits")


def test_the_model_that_searches_files_does_not_chat(page: Page, url: str, fake: Callable[..., None]) -> None:
    fake()
    ready(page, url)
    page.evaluate("""async () => {
      const { searchModel } = await import("./page/choice.js");
      const { url, name } = searchModel(null);
      const root = await navigator.storage.getDirectory();
      const folder = await root.getDirectoryHandle("models", { create: true });
      for (const [file, data] of [["m", "GGUF"], ["m.json", JSON.stringify({ url, model: url, name, whole: true })]]) {
        const stream = await (await folder.getFileHandle(file, { create: true })).createWritable();
        await stream.write(data);
        await stream.close();
      }
    }""")
    page.click("#model-button")
    row = page.locator("#models .offer").filter(has_text="MiniLM")
    expect(row).to_contain_text("it does not chat")
    expect(row.get_by_role("button")).to_have_count(1)
    row.get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)
