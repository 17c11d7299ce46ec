"""Files that go with a question: read in whatever form they come, searched where they are too long, and cited."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny
from page import documents
from page.pages import ask, fails, ready, script, sent, source, wait_answers, wait_state
from playwright.sync_api import Page, expect

from web.build import models, serving
from web.build.brand import Brand
from web.build.site import build

Fake = Callable[..., None]

PAGES = [
    "# Annual report\nThe company sold 4,000 heat pumps (and 12 boilers).\nIts name is M\u00fcller & S\u00f6hne.",
    "",
    "# Outlook\nNext year it wants to sell twice as many of them.",
]
REPORT = (
    "# Annual report\n\nThe company sold 4,000 heat pumps (and 12 boilers).\n\nIts name is M\u00fcller & S\u00f6hne."
    "\n\n\n\n# Outlook\n\nNext year it wants to sell twice as many of them."
)
LETTER = documents.docx(
    [("Terms", "Heading1"), ("You & I <agree>.", ""), ("Prices", "Heading2")],
    [["piece", "euro"], ["one", "5"]],
    "Boxed",
)
PAGE = """<!doctype html><title>t</title><script>document.write("bad")</script><nav>Menu</nav><h1>Hello</h1>
<p>One <b>two</b>\n three.<ul><li>a</li><li>b</li></ul><img src=x onerror="window.bad = 1"><pre>x\n  y</pre>"""
READ = {
    "report.pdf": (documents.pdf(PAGES), REPORT),
    "letter.docx": (LETTER, "# Terms\n\nYou & I <agree>.\n\n## Prices\n\npiece\teuro\none\t5\nBoxed"),
    **{
        f"{table}.pdf": (documents.pdf_of_letters(table, ordering, text, encoding), text)
        for table, ordering, text, encoding in (
            ("90ms-RKSJ-H", "Japan1", "\u65e5\u672c\u8a9e\u306e\u6587\u66f8", "shift_jis"),
            ("GBK-EUC-H", "GB1", "\u4e2d\u6587\u6587\u4ef6", "gbk"),
            ("ETen-B5-H", "CNS1", "\u4e2d\u6587\u6a94\u6848", "big5"),
            ("KSCms-UHC-H", "Korea1", "\ud55c\uad6d\uc5b4 \ubb38\uc11c", "cp949"),
        )
    },
    "page.html": (PAGE.encode(), "# Hello\n\nOne two three.\n- a\n- b\n\nx\n  y"),
    "old.csv": ("Gr\u00f6\u00dfe;Preis\nklein;1,50\n".encode("cp1252"), "Gr\u00f6\u00dfe;Preis\nklein;1,50\n"),
    "wide.txt": ("\ufeffna\u00efve".encode("utf-16-le"), "na\u00efve"),
    "data.json": (b'{"a": 1}', '{"a": 1}'),
}
REFUSED = {
    "locked.pdf": (documents.pdf(PAGES, locked=True), "is locked with a password"),
    "scan.pdf": (documents.pdf(["", ""]), "its pages are pictures"),
    "broken.pdf": (documents.pdf(PAGES)[:300], "is damaged"),
    "broken.docx": (LETTER[: len(LETTER) // 2], "is damaged"),
    "other.xlsx": (b"PK\x03\x04\x00\x00\x00\x00", "is not a text file"),
    "music.mp3": (b"ID3\x04\x00\x00\xff\xfb", "is not a text file"),
    "old.bin": (b"\xe9\xff\x81", "is not a text file"),
    "empty.txt": (b" \n", "is empty"),
    "long.txt": (b"word " * 900_000, "is too long"),
}


# Files and sources of each message of each conversation, as they lie on the device.
KEPT = """async () => {
  const { openDB } = await import("./lib/idb.js");
  const [{ name }] = await indexedDB.databases();
  const all = await (await openDB(name)).getAll("conversations");
  return JSON.stringify(all.map(({ messages }) => messages.map(({ files, sources }) => [files, sources])));
}"""


def given(files: dict[str, bytes]) -> Any:
    return [{"name": name, "mimeType": "application/octet-stream", "buffer": data} for name, data in files.items()]


def test_files_of_all_kinds_are_read(page: Page, url: str, fake: Fake) -> None:
    fake(echo=True, context=100_000)
    errors = fails(page)
    ready(page, url)
    page.set_input_files("#files", given({name: data for name, (data, _) in REFUSED.items()}))
    for name, (_, told) in REFUSED.items():
        expect(page.locator(".toast", has_text=name)).to_contain_text(told)
    expect(page.locator("#attached")).to_be_hidden()
    page.set_input_files("#files", given({name: data for name, (data, _) in READ.items()}))
    ask(page, "What do they say?")  # while they are read: it waits for them
    wait_answers(page, 1)
    [message] = sent(page)["messages"]
    fence = "`" * 3
    parts = [
        f"{name}:\n{fence}\n{text}{'' if text.endswith(chr(10)) else chr(10)}{fence}"
        for name, (_, text) in READ.items()
    ]
    assert message["content"] == "\n\n".join([*parts, "What do they say?"])
    assert page.evaluate("window.bad") is None
    assert not errors
    expect(page.locator(".message.user .file", has_text="report.pdf, 3 pages")).to_be_visible()
    table = page.locator(".message.user .file", has_text="old.csv")
    table.locator("summary").click()
    expect(table.locator("th")).to_have_text(["Gr\u00f6\u00dfe", "Preis"])
    expect(table.locator("td")).to_have_text(["klein", "1,50"])


def test_reading_can_be_ended_and_holds_nothing_up(page: Page, url: str, fake: Fake) -> None:
    fake(pieces=["Yes."])
    ready(page, url)
    page.set_input_files(
        "#files", given({"long.pdf": documents.pdf([f"Page {i}. {'word ' * 400}" for i in range(400)])})
    )
    reading = page.locator("#attached .chip.reading")
    expect(reading).to_contain_text("Reading long.pdf")
    ask(page, "What does it say?")
    expect(page.locator("#send")).to_be_disabled()
    reading.locator("button").click()
    wait_answers(page, 1)  # without it
    expect(page.locator(".message.user .file")).to_have_count(0)
    expect(page.locator("#attached")).to_be_hidden()


PASSAGES: list[dict[str, Any]] = [
    {"document": 0, "part": 0, "line": 3, "heading": "Annual report", "text": "The company sold 4,000 heat pumps"},
    {"document": 1, "part": 0, "line": 7, "heading": "", "text": "pump noise"},
]
FOUND = {"type": "consulted", "fits": False, "passages": PASSAGES}
NOTES = "\n".join(f"line {i}" for i in range(1, 7)) + "\npump noise\n" + "more\n" * 100


def test_what_is_too_long_is_searched_and_cited(page: Page, url: str, fake: Fake) -> None:
    fake(echo=True, context=200, replies={"consult": FOUND})
    ready(page, url)
    page.set_input_files("#files", given({"report.pdf": documents.pdf(PAGES), "notes.txt": NOTES.encode()}))
    ask(page, "How many pumps?")
    wait_answers(page, 1)
    content = sent(page)["messages"][-1]["content"]
    assert "[1] report.pdf, page 1, Annual report:\n```\nThe company sold 4,000 heat pumps\n```" in content
    assert "[2] notes.txt:\n```\npump noise\n```" in content
    assert content.endswith("\n\nHow many pumps?") and "Outlook" not in content
    sources = page.locator(".message.assistant .source")
    expect(sources.locator(".place")).to_have_text(["report.pdf, page 1", "notes.txt, line 7"])
    sources.first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#source mark")).to_have_text(PASSAGES[0]["text"])
    expect(page.locator("#source .around")).to_contain_text("Müller & Söhne")
    expect(page.locator("#source .around")).not_to_contain_text("Outlook")
    page.keyboard.press("Escape")
    sources.last.click()
    expect(page.locator("#source .around")).to_contain_text("line 6")
    page.keyboard.press("Escape")
    # The next question is searched for again; what was found for this one is not sent along.
    ask(page, "And boilers?")
    wait_answers(page, 2)
    messages = sent(page)["messages"]
    assert messages[0]["content"] == "How many pumps?"
    assert "[1] report.pdf" in messages[2]["content"]
    # The numbers that an answer names lead there too, wherever they are text.
    said = "*So* [2] it is [1, 2], but `[1]` and [3] and [0] not; [1][2]\n\n| a |\n| --- |\n| [1] |\n\n$x[1]$ [1](b)"
    script(page, echo=False, answers=None, pieces=[said[:6], said[6:9], said[9:]])
    ask(page, "And boilers?")
    wait_answers(page, 3)
    answer = page.locator(".message.assistant").last
    cited = answer.locator(".cite")
    expect(cited).to_have_text(["2", "1", "2", "1", "2", "1"])
    expect(answer.locator("p").first).to_contain_text("So [2] it is [1, 2], but [1] and [3] and [0] not; [1][2]")
    expect(answer.locator("td .cite")).to_have_count(1)
    cited.first.click()
    expect(page.locator("#source .place")).to_have_text("notes.txt, line 7")
    page.keyboard.press("Escape")
    cited.nth(1).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#source .place")).to_have_text("report.pdf, page 1")
    page.keyboard.press("Escape")
    page.reload()
    expect(page.locator(".message.assistant .cite")).to_have_count(6)
    expect(page.locator(".message.assistant .source")).to_have_count(6)
    page.locator(".source").first.click()
    expect(page.locator("#source .around")).to_contain_text("Müller & Söhne")


def test_files_for_one_question_are_not_kept(page: Page, url: str, fake: Fake) -> None:
    fake(echo=True, context=200, replies={"consult": FOUND})
    ready(page, url)
    page.set_input_files("#files", given({"report.pdf": documents.pdf(PAGES), "notes.txt": NOTES.encode()}))
    page.click("text=Kept with this chat")
    expect(page.locator("#attached .keep")).to_have_text("For this question only")
    ask(page, "How many pumps?")
    wait_answers(page, 1)
    expect(page.locator(".source")).to_have_count(2)
    ask(page, "And boilers?")  # it is asked without them
    wait_answers(page, 2)
    assert sent(page)["messages"][2]["content"] == "And boilers?"
    expect(page.locator(".source")).to_have_count(2)
    told = json.loads(page.evaluate(KEPT))[0]
    assert [file["text"] for file in told[0][0]] == ["", ""]
    assert [one["text"] for one in told[1][1]] == ["", ""]
    page.reload()
    expect(page.locator(".file.gone")).to_have_text(["report.pdf: not kept", "notes.txt: not kept"])
    page.locator(".source").first.click()
    expect(page.locator("#source")).to_contain_text("was not kept")


def test_a_search_by_meaning_is_offered_and_fetched_by_a_click_alone(page: Page, url: str, fake: Fake) -> None:
    vectors = {"type": "embedded", "vectors": [], "width": 3, "tokens": 5}
    texts = {"type": "passages", "texts": ["a", "b"]}
    progress = [{"stage": "download", "loaded": 1, "total": 4}]
    fake(
        echo=True, context=200, room=True, replies={"consult": FOUND, "cut": texts, "embed": vectors}, progress=progress
    )
    posted: list[Any] = []
    page.expose_function("posted", lambda message: posted.append(message))
    page.add_init_script("""{
      const post = Worker.prototype.postMessage;
      Worker.prototype.postMessage = function (message, ...rest) {
        window.posted(JSON.parse(JSON.stringify(message)));
        return post.call(this, message, ...rest);
      };
    }""")
    ready(page, url)
    page.set_input_files("#files", given({"report.pdf": documents.pdf(PAGES), "notes.txt": NOTES.encode()}))
    ask(page, "How many pumps?")
    offer = page.locator(".sources .by-meaning")
    expect(offer).to_contain_text("25 MB from Hugging Face")
    assert [message["type"] for message in posted if message.get("type") in ("load", "embed")] == ["load"]
    offer.get_by_role("button", name="Download it").click()
    offer.get_by_role("button", name="Answer again").click()
    wait_answers(page, 1)
    expect(page.locator(".message.assistant .branches")).to_contain_text("2 / 2")
    load = [message for message in posted if message.get("type") == "load"][-1]
    assert load["options"]["beside"] and load["model"]["url"].startswith("https://huggingface.co/")
    embeds = [message for message in posted if message.get("type") == "embed"]
    assert [(message["texts"], message["beside"]) for message in embeds] == [(["a", "b"], True)] * 2
    expect(offer).to_have_count(0)


@pytest.mark.slow
def test_a_real_model_finds_by_words_and_by_meaning(page: Page, tmp_path: Path) -> None:
    """A site with a model to search with: that is loaded beside the other, makes vectors once, and both go on."""
    tiny.write_tiny_llama(tmp_path / "tiny.gguf")
    tiny.write_tiny(tmp_path / "bert.gguf", tiny.EMBEDDING["bert"])
    chat, embedding = (models.given_model(str(tmp_path / name)) for name in ("tiny.gguf", "bert.gguf"))
    build([chat], Brand(), tmp_path / "dist", embedding=embedding)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.add_init_script("localStorage.setItem('settings', JSON.stringify({ context: 512, max_tokens: 4 }))")
    with serving.serving(tmp_path / "dist") as url:
        ready(page, url)
        pages = [f"This part says little about anything, and {i} times so. " * 4 for i in range(4)]
        pages[2] = "A heron eats fish and stands in the water all day."
        page.set_input_files("#files", given({"birds.pdf": documents.pdf(pages)}))
        ask(page, "What does the heron eat?")
        page.locator(".message.assistant[data-state=ended]").wait_for(timeout=180_000)
        expect(page.locator(".source .place", has_text="birds.pdf, page 3")).to_have_count(1)
        assert source(page)
        expect(page.locator(".by-meaning")).to_have_count(0)
        [[[file], _], *_] = json.loads(page.evaluate(KEPT))[0]
        assert len(file["vectors"]["data"]) > 100 and file["vectors"]["model"].endswith("models/bert.gguf")
        wait_state(page, "ready")
        assert {request.split("/")[2] for request in requests} == {url.split("/")[2]}
        assert [request for request in requests if request.endswith("bert.gguf")]
