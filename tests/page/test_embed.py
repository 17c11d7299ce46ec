"""The examples of docs/site.md, pages that use the site, as they stand there: the engine is a double. Vectors, scores
and answers in a form: it is the real one."""

from __future__ import annotations

import dataclasses
import json
import re
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import tiny
from page.pages import DROP, box_of
from playwright.sync_api import BrowserContext, Page, Route, expect

from py_wgml import requests
from py_wgml.models.numpy_graph import NumpyModel
from py_wgml.tokenizer import from_metadata
from web.build import paths

pytestmark = pytest.mark.slow

PIECES = ["Paris", " is the ", "capital."]


def serve(code: str) -> Callable[[Route], None]:
    return lambda route: route.fulfill(body=code, content_type="text/html")


@pytest.fixture
def examples(context: BrowserContext, url: str, fake: Callable[..., None]) -> list[str]:
    """The addresses of the two pages, at which their code stands but for the address of the site in it."""
    fake(pieces=PIECES)
    found = re.findall(r"```html\n(.*?)```", (paths.ROOT / "docs/site.md").read_text(), re.DOTALL)
    pages = [code.replace("https://example.org/chat/", url) for code in found]
    for name, code in enumerate(pages):
        assert code != found[name]
        assert len(code.splitlines()) <= 10
        context.route(f"**/page{name}.html", serve(code))
    return [f"{url}page{name}.html" for name in range(len(pages))]


def test_the_chat_in_another_page(page: Page, examples: list[str], url: str) -> None:
    page.goto(examples[0])
    expect(page.locator("py-wgml-chat iframe")).to_have_attribute("title", "Chat with a small model")
    frame = page.frame_locator("py-wgml-chat iframe")
    frame.locator("body[data-state=ready]").wait_for()
    frame.locator("#prompt").fill("What is the capital of France?")
    frame.locator("#prompt").press("Enter")
    expect(frame.locator(".message.assistant .text")).to_contain_text("Paris is the capital.")
    page.evaluate("document.querySelector('py-wgml-chat').setAttribute('model', 'tiny')")
    frame = page.frame_locator(f"py-wgml-chat iframe[src='{url}?model=tiny']")
    frame.locator("body[data-state=ready]").wait_for()
    assert box_of(page.locator("py-wgml-chat"))["height"] > 500


def test_the_engine_in_the_words_of_openai(page: Page, examples: list[str], url: str) -> None:
    page.goto(examples[1])
    expect(page.locator("#answer")).to_have_text("".join(PIECES))
    answers = """async ([site, messages, options]) => {
      const client = await (await import(`${site}openai.js`)).load("tiny");
      const { create } = client.chat.completions;
      const whole = await create({ messages, temperature: 0, max_completion_tokens: 9, stop: "x" });
      const chunks = [];
      for await (const chunk of await create({ messages, stream: true, stream_options: { include_usage: true } })) {
        chunks.push(chunk);
      }
      const refused = await create({ messages, audio: {} }).catch((error) => error.message);
      const taken = await create({ messages, ...Object.fromEntries(options.map((name) => [name, null])) });
      client.close();
      const closed = await create({ messages }).catch((error) => error.stage);
      return { whole, chunks, refused, taken, closed };
    }"""
    options = list(requests.AnswerOptions.__annotations__)
    got = page.evaluate(answers, [url, [{"role": "user", "content": "one two three"}], options])
    assert got["taken"]["choices"] == got["whole"]["choices"]
    whole, chunks = got["whole"], got["chunks"]
    assert whole["object"] == "chat.completion"
    assert whole["choices"][0]["message"]["content"] == "".join(PIECES)
    assert whole["choices"][0]["finish_reason"] == "stop"
    assert whole["usage"]["total_tokens"] == whole["usage"]["prompt_tokens"] + whole["usage"]["completion_tokens"] == 6
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert {chunk["id"] for chunk in chunks} == {chunks[0]["id"]}
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    said = [choice["delta"].get("content", "") for chunk in chunks for choice in chunk["choices"]]
    assert "".join(said) == "".join(PIECES)
    assert [choice["finish_reason"] for choice in chunks[-2]["choices"]] == ["stop"]
    assert (chunks[-1]["choices"], chunks[-1]["usage"]) == ([], whole["usage"])
    assert got["refused"] == "not supported: audio"
    assert got["closed"] == "closed"


def test_vectors_and_scores(page: Page, url: str, tmp_path: Path) -> None:
    """Of texts, in the words of OpenAI and of Jina; the page itself says what such a model is for."""
    files = [tiny.write_tiny(tmp_path / f"{n}.gguf", tiny.EMBEDDING[n]) for n in ("bert", "bert, reranker")]
    texts = ["one", "two words", ""]
    page.goto(f"{url}site.json")
    page.set_content("<input type=file multiple>")
    page.locator("input").set_input_files(files)
    calls = """async ([site, texts]) => {
      const { load } = await import(`${site}openai.js`);
      const [encoder, ranker] = document.querySelector("input").files;
      const client = await load(encoder);
      const { create } = client.embeddings;
      const says = (error) => error.message;
      const found = {
        list: await create({ input: texts }),
        one: await create({ input: texts[0], encoding_format: "base64", dimensions: 8, model: "any" }),
        format: await create({ input: texts, encoding_format: "hex" }).catch(says),
        unknown: await create({ input: texts, colour: "red" }).catch(says),
        tokens: await create({ input: [[1, 2]] }).catch(says),
        chat: await client.chat.completions.create({ messages: [{ role: "user", content: "hello" }] }).catch(says),
      };
      client.close();
      const second = await load(ranker);
      const query = { query: "one", documents: [...texts, { text: "three" }] };
      found.all = await second.rerank(query);
      found.best = await second.rerank({ ...query, top_n: 1, return_documents: true });
      second.close();
      return found;
    }"""
    got = page.evaluate(calls, [url, texts])
    reference = NumpyModel(files[0])
    tokenizer = from_metadata(reference._file.header.metadata)
    vectors = [reference.vector(tokenizer.encode(text)) for text in texts[:2]]
    expected = [vector / np.linalg.norm(vector) for vector in vectors]
    assert (got["list"]["object"], got["list"]["usage"]["total_tokens"]) == (
        "list",
        sum(len(tokenizer.encode(text)) for text in texts),
    )
    assert [entry["index"] for entry in got["list"]["data"]] == [0, 1, 2]
    for entry, vector in zip(got["list"]["data"], expected, strict=False):
        np.testing.assert_allclose(entry["embedding"], vector, atol=1e-5)
    short = np.frombuffer(b64decode(got["one"]["data"][0]["embedding"]), "<f4")
    np.testing.assert_allclose(short, expected[0][:8] / np.linalg.norm(expected[0][:8]), atol=1e-5)
    assert got["format"] == "encoding_format is neither float nor base64"
    assert got["unknown"] == "not supported: colour"
    assert "texts[0] is the list" in got["tokens"]
    assert "which makes vectors of texts: it generates no text" in got["chat"]
    scores = [entry["relevance_score"] for entry in got["all"]["results"]]
    assert sorted(entry["index"] for entry in got["all"]["results"]) == [0, 1, 2, 3]
    assert scores == sorted(scores, reverse=True) and 0 < scores[-1] <= scores[0] < 1
    [best] = got["best"]["results"]
    documents = [*texts, "three"]
    assert best == {**got["all"]["results"][0], "document": {"text": documents[best["index"]]}}

    page.goto(url)
    page.locator("body[data-state=ready]").wait_for()
    page.evaluate(DROP, [files[0].name, list(files[0].read_bytes())])
    expect(page.locator("body")).to_contain_text("This model makes vectors of texts, for programs to search with")
    page.locator("body[data-state=ready]").wait_for()  # with the model from before


def test_answers_that_are_what_was_asked_for(page: Page, url: str, tmp_path: Path) -> None:
    """JSON by a schema, a choice, a call that has to be, and how likely it was: of a model that knows nothing."""
    page.goto(f"{url}site.json")
    page.set_content("<input type=file>")
    path = tiny.write_tiny(tmp_path / "tiny.gguf", dataclasses.replace(tiny.TINY["llama"], layers=1))
    page.locator("input").set_input_files(path)
    calls = """async ([site, schema, tools]) => {
      const client = await (await import(`${site}openai.js`)).load(document.querySelector("input").files[0]);
      const messages = [{ role: "user", content: "Hello" }];
      const { create } = client.chat.completions;
      const given = { messages, temperature: 1.5, seed: 1, max_completion_tokens: 200 };
      const format = (schema) => ({ response_format: { type: "json_schema", json_schema: { name: "n", schema } } });
      const found = {
        json: await create({ ...given, ...format(schema) }),
        choice: await create({ ...given, choices: ["yes", "no"], logprobs: true, top_logprobs: 2 }),
        call: await create({ ...given, tools, tool_choice: "required" }),
        refused: await create({ ...given, ...format({ not: {} }) }).catch((error) => error.message),
      };
      client.close();
      return found;
    }"""
    schema = {
        "type": "object",
        "properties": {"day": {"type": "string", "format": "date"}, "mood": {"enum": ["good", "bad"]}},
        "required": ["day", "mood"],
    }
    tools = [{"type": "function", "function": {"name": "note", "parameters": schema}}]
    found = page.evaluate(calls, [url, schema, tools])
    message = found["json"]["choices"][0]["message"]
    assert json.loads(message["content"]) == message["parsed"]
    jsonschema.validate(message["parsed"], schema)
    chosen = found["choice"]["choices"][0]
    assert chosen["message"]["content"] in ("yes", "no")
    assert all(token["logprob"] < 0 and len(token["top_logprobs"]) == 2 for token in chosen["logprobs"]["content"])
    called = found["call"]["choices"][0]
    assert called["finish_reason"] == "tool_calls"
    function = called["message"]["tool_calls"][0]["function"]
    assert function["name"] == "note"
    jsonschema.validate(json.loads(function["arguments"]), schema)
    assert '"not" is not supported' in found["refused"]
