"""What a visitor sets for one conversation, and where: sliders and styles, thinking, assistants, saved prompts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny
from page.pages import ask, ready, sent, settings, stop_when_it_talks, wait_answers
from playwright.sync_api import Page, expect

from web.build import models, serving
from web.build.brand import Brand
from web.build.site import build

Fake = Callable[..., None]
CREATIVE = {"temperature": 1.1, "top_k": 0, "top_p": 1, "min_p": 0.05}


def answered(page: Page, count: int, text: str = "Hello") -> Any:
    """What the engine is sent with another question."""
    ask(page, text)
    wait_answers(page, count)
    return sent(page)


def test_a_conversation_has_settings_of_its_own(page: Page, url: str, fake: Fake) -> None:
    fake(echo=True, recommended=["temperature"])
    ready(page, url)
    settings(page, "sampling")
    style = page.locator("#settings [name=preset]:checked")
    expect(style).to_have_value("recommended")
    field, slider = (
        page.locator("#setting-temperature"),
        page.locator(".field-row:has(#setting-temperature) [type=range]"),
    )
    slider.focus()
    page.keyboard.press("End")
    expect(field).to_have_value("2")
    expect(style).to_have_value("own")
    page.click("#settings .choice:has-text('Creative')")
    expect(field).to_have_value("1.1")
    slider.dblclick()
    expect(field).to_have_value("")
    expect(slider).to_have_value("0")  # the model's default
    page.click("#settings .choice:has-text('Creative')")
    page.keyboard.press("Escape")
    assert answered(page, 1)["sampling"] == CREATIVE

    settings(page, "sampling")
    page.click("#settings-panel-sampling .choice:has-text('This conversation only')")
    page.click("#settings .choice:has-text('As the model recommends')")
    page.fill("#setting-top_k", "7")
    page.click("#settings-tab-answers")
    page.fill("#setting-system", "Be brief.")
    page.keyboard.press("Escape")
    own = page.locator(".own-settings")
    expect(own).to_contain_text("Own settings")
    told = answered(page, 2)
    assert told["sampling"] == {"top_k": 7}
    assert told["messages"][0] == {"role": "system", "content": "Be brief."}
    page.reload()  # it keeps them
    page.wait_for_selector("body[data-state=ready]")
    assert answered(page, 3)["sampling"] == {"top_k": 7}
    page.keyboard.press("Control+Shift+o")  # others have those for all
    expect(own).to_be_hidden()
    assert answered(page, 1)["sampling"] == CREATIVE
    page.go_back()
    wait_answers(page, 3)
    own.locator("button").last.click()
    expect(own).to_be_hidden()
    assert answered(page, 4)["sampling"] == CREATIVE


HUB_MODEL = {"name": "file", "url": "https://huggingface.co/owner/repository/resolve/main/file.gguf", "bytes": 1}


def test_a_model_from_the_hub_is_sampled_as_its_makers_say(page: Page, url: str, fake: Fake) -> None:
    config = {"do_sample": True, "temperature": 0.6, "top_k": 20, "top_p": 7, "min_p": "0", "stop": ["x"]}
    replies = {
        "resolve": {"type": "resolved", "model": HUB_MODEL},
        "generation_config": {"type": "generation_configured", "config": config},
    }
    fake(echo=True, replies=replies)
    ready(page, f"{url}?model=owner/repository/file.gguf")
    page.wait_for_function("() => localStorage.getItem('generation configs')")
    assert answered(page, 1)["sampling"] == {"temperature": 0.6, "top_k": 20}
    settings(page, "sampling")
    expect(page.locator("#setting-temperature")).to_have_attribute("placeholder", "0.6")
    expect(page.locator("#setting-top_p")).to_have_attribute("placeholder", "0.95")
    page.fill("#setting-temperature", "1")
    page.keyboard.press("Escape")
    assert answered(page, 2)["sampling"] == {"temperature": 1, "top_k": 20}

    # It is known later, and the file's own word goes before it.
    replies["generation_config"]["config"] = {"do_sample": False}
    fake(echo=True, replies=replies)
    ready(page, f"{url}?model=owner/repository/file.gguf")
    assert answered(page, 1)["sampling"] == {"temperature": 1, "top_k": 20}
    fake(echo=True, replies=replies, recommended=["min_p"])
    ready(page, f"{url}?model=owner/repository/file.gguf")
    assert answered(page, 1)["sampling"] == {"temperature": 1}
    page.evaluate("localStorage.clear()")
    fake(echo=True, replies=replies)
    ready(page, f"{url}?model=owner/repository/file.gguf")
    page.wait_for_function("() => localStorage.getItem('generation configs')")
    assert answered(page, 1)["sampling"] == {"temperature": 0}


def test_settings_go_with_a_conversation_into_files(page: Page, url: str, fake: Fake) -> None:
    fake()
    ready(page, url)
    given = {"temperature": None, "top_k": 7, "system": "a --> b -- {c}", "assistant": {"name": "A", "mark": "✍️"}}
    odd = {"temperature": "hot", "top_k": 1.5, "thinks": 1, "effort": "most", "assistant": {"mark": "x"}, "context": 5}
    read = page.evaluate(
        """async ([given, odd]) => {
          const { fromFile, toJson, toMarkdown } = await import("./page/transfer.js");
          const messages = [{ id: "1", parent: null, role: "user", content: "Hello" }];
          const record = (settings) => ({ id: "a", name: "N", created: 1, changed: 1, messages, leaf: "1", settings });
          const files = [toJson([record(given)]), toMarkdown(record(given)), toMarkdown(record())];
          const records = [...files, toJson([record(odd)])].map((text) => fromFile(text)[0]);
          return records.map(({ settings, messages: [{ content }] }) => [settings ?? null, content]);
        }""",
        [given, odd],
    )
    assert read == [[given, "Hello"], [given, "Hello"], [None, "Hello"], [None, "Hello"]]


THINKING: list[tuple[dict[str, Any], list[tuple[str, Any]]]] = [
    ({"thinking": "off"}, [("Think", {"enable_thinking": True}), ("Think", {"enable_thinking": False})]),
    ({"thinking": "on"}, [("Think", {"enable_thinking": False})]),
    ({"thinking": "free"}, [("Think", {"enable_thinking": True})]),
    (
        {"thinking": "on", "efforts": ["low", "high"], "effort": "low"},
        [
            ("Think: High", {"enable_thinking": True, "reasoning_effort": "high"}),
            ("Don\u2019t think", {"enable_thinking": False}),
        ],
    ),
    ({"efforts": ["low", "medium", "high"], "effort": "medium"}, [("Think: Low", {"reasoning_effort": "low"})]),
]


@pytest.mark.parametrize(("can", "chosen"), THINKING)
def test_thinking_is_chosen_where_one_writes(
    page: Page, url: str, fake: Fake, can: dict[str, Any], chosen: list[tuple[str, Any]]
) -> None:
    fake(echo=True, **can)
    ready(page, url)
    for count, (label, told) in enumerate(chosen):
        page.click("#think")
        if "efforts" in can:
            page.get_by_role("menuitem", name=label).click()
        assert answered(page, count + 1)["sampling"] == {"chat_template_kwargs": told}
    expect(page.locator(".own-settings")).to_be_hidden()
    page.click("#new-chat")
    assert answered(page, 1)["sampling"] == {}  # that was of the other conversation


def test_assistants_begin_conversations(page: Page, url: str, fake: Fake, tmp_path: Path) -> None:
    fake(echo=True)
    ready(page, url)
    expect(page.locator("#think")).to_be_hidden()
    page.click(".assistants button:has-text('Translator')")
    expect(page.locator(".own-settings")).to_contain_text("Translator")
    told = answered(page, 1)
    assert told["messages"][0]["content"].startswith("You are a translator.")
    assert told["sampling"]["temperature"] == 0.2

    dialog = page.locator("#assistants")
    page.click("#assistants-button")
    dialog.get_by_role("button", name="New assistant").click()
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator("#setting-assistant-name-problem")).to_have_text("This can\u2019t be empty.")
    page.fill("#setting-assistant-name", "Pirate")
    page.fill("#setting-assistant-mark", "🏴‍☠️!")
    page.fill("#setting-assistant-system", "Talk like a pirate.")
    page.click("#assistants .choice:has-text('Creative')")
    dialog.get_by_role("button", name="Save").click()
    row = dialog.locator("li:has-text('Pirate')")
    expect(row).to_contain_text("🏴‍☠️")
    with page.expect_download() as download:
        dialog.get_by_role("button", name="Export").click()
    file = tmp_path / "assistants.json"
    download.value.save_as(file)
    row.locator("[aria-label='Delete Pirate']").click()
    expect(row).to_have_count(0)
    bad = tmp_path / "bad.json"
    bad.write_text('{"format": "other"}')
    for chosen, said in ((bad, "bad.json has no assistants"), (file, "One was imported."), (file, "Nothing new")):
        with page.expect_file_chooser() as chooser:
            dialog.get_by_role("button", name="Import").click()
        chooser.value.set_files(chosen)
        expect(page.locator(".toast").last).to_contain_text(said)
    page.reload()
    page.wait_for_selector("body[data-state=ready]")
    page.click("#assistants-button")
    row.get_by_role("button", name="Chat").click()
    told = answered(page, 1)  # a conversation of its own
    assert told["messages"][0]["content"] == "Talk like a pirate."
    assert told["sampling"] == CREATIVE
    assert [json.loads(file.read_text())[kind][-1]["name"] for kind in ("assistants", "prompts")] == ["Pirate", "Ideas"]


def test_a_slash_inserts_a_saved_prompt(page: Page, url: str, fake: Fake) -> None:
    fake(echo=True)
    ready(page, url)
    page.locator("#scroller").focus()
    page.keyboard.press("/")  # goes to the field
    rows = page.locator("#prompts [role=option]")
    expect(rows).to_have_count(0)
    page.keyboard.type("/")
    expect(rows.first).to_have_attribute("aria-selected", "true")
    page.keyboard.type("transl")
    expect(rows).to_have_count(2)  # and the way to edit them
    page.keyboard.press("Enter")
    expect(page.locator("#prompts")).to_be_hidden()
    page.keyboard.type("German")
    page.keyboard.press("Tab")
    page.keyboard.type("Good morning")
    expect(page.locator("#prompt")).to_have_value("Translate this into German:\n\nGood morning")
    page.keyboard.press("Tab")
    expect(page.locator("#prompt")).not_to_be_focused()  # nothing is left to fill in
    page.fill("#prompt", "/etc/hosts, what is it?")  # no prompt is called so
    expect(page.locator("#prompts")).to_be_hidden()
    page.press("#prompt", "Enter")
    wait_answers(page, 1)
    assert sent(page)["messages"][-1]["content"] == "/etc/hosts, what is it?"
    page.fill("#prompt", "/")
    page.press("#prompt", "Escape")
    expect(page.locator("#prompts")).to_be_hidden()
    page.fill("#prompt", "/ ")
    page.press("#prompt", "ArrowUp")
    page.press("#prompt", "Enter")
    dialog = page.locator("#assistants")
    dialog.get_by_role("button", name="New prompt").click()
    page.fill("#setting-prompt-name", "Haiku")
    page.fill("#setting-prompt-text", "A haiku about {{topic}}.")
    dialog.get_by_role("button", name="Save").click()
    page.keyboard.press("Escape")
    page.fill("#prompt", "/haiku")
    page.press("#prompt", "Enter")
    assert page.evaluate("getSelection().toString()") == "{{topic}}"


def test_what_a_real_model_s_file_says_is_shown(page: Page, tmp_path: Path) -> None:
    """With the real engine: what the file recommends, and what its template can be told."""
    template = (
        "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
        "{% if enable_thinking | default(true) %}think {{ reasoning_effort | default('low') }}{% endif %}"
    )
    said = {"general.sampling.temp": 0.3, "general.sampling.top_k": 1 << 30, "tokenizer.chat_template": template}
    model = tiny.write_tiny_llama(tmp_path / "tiny.gguf", metadata=said)
    build([models.given_model(str(model))], Brand(), tmp_path / "dist")
    with serving.serving(tmp_path / "dist") as url:
        ready(page, url)
        settings(page, "sampling")
        expect(page.locator("#setting-temperature")).to_have_attribute("placeholder", "0.3")
        expect(page.locator("#setting-top_k")).to_have_attribute("placeholder", "40")  # what it says makes no sense
        page.keyboard.press("Escape")
        expect(page.locator("#think")).to_have_text("Think: Low")
        page.click("#think")
        page.get_by_role("menuitem", name="Think: High").click()
        expect(page.locator("#think")).to_have_text("Think: High")
        ask(page)
        stop_when_it_talks(page)
