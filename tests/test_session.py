"""The worker's messages in CPython: each type and each error, in whatever order."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gpus
import numpy as np
import pytest
import tiny
from typeguard import check_type

from py_wgml import protocol
from py_wgml.gpu import Device, Program
from py_wgml.model import Model
from py_wgml.worker import Session, prepare
from web.build.site import families

BENCH = {
    "prompt_tokens": [4],
    "prompt_repetitions": 2,
    "generate_tokens": 2,
    "repetitions": 1,
    "contexts": [0],
    "texts": 2,
}
HELLO = [{"role": "user", "content": "hello"}]


class Chunk(bytes):
    def to_bytes(self) -> bytes:
        return bytes(self)


class File:
    """As web/worker/files.js has it."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name, self.size, self._data, self._read = name, len(data), data, False
        self.refused = False

    async def next(self) -> Chunk | None:
        if self._read or not self._data:
            return None
        self._read = True
        return Chunk(self._data)

    def rewind(self) -> None:
        self._read = False

    async def refuse(self) -> None:
        self.refused = True

    def close(self) -> None:
        pass


class Gpu:
    """A native device with what the browser's has beside: files past Python's memory, and the day it is lost."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self.lost = asyncio.get_running_loop().create_future()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._device, name)


class Page:
    """A session and what it answered."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: list[dict[str, Any]] = []
        self.reports: list[str] = []
        self.folder, self._last = folder, 0
        self.device: Gpu | None = None

        async def opened(source: Any) -> File:
            if "error" in source:
                raise source["error"]
            return File(source["name"], (folder / source["name"]).read_bytes())

        async def text(name: str) -> str:
            assert name == "families.json"
            return json.dumps(families())

        async def open_device() -> Gpu:
            self.device = Gpu(gpus.device("naga"))
            return self.device

        real = Model.load

        async def load(source: Any, on_progress: Any, device: Any, on_header: Any, **options: Any) -> Model:
            # Weights go to the native device from a file: only the browser's has them past Python.
            await source.header()
            return await real(folder / source.name, on_progress, device._device, on_header=on_header, **options)

        monkeypatch.setattr(Model, "load", load)

        def post(reply: protocol.SessionReply) -> None:
            self.answers.append(dict(check_type(reply, protocol.SessionReply)))

        def visit(version: str) -> None:
            """Begin anew, as another visit does."""
            self.session = Session(
                SimpleNamespace(open=opened, text=text), post, self.reports.append, version, open_device
            )

        self.visit = visit
        self.visit("1")

    async def ask(self, type: Any = None, **message: Any) -> list[dict[str, Any]]:
        """The answers to a message with a new id."""
        self._last += 1
        id = message.setdefault("id", self._last)
        before = len(self.answers)
        await self.session.handle({"type": type, **message})
        return [answer for answer in self.answers[before:] if answer.get("id", id) == id]

    async def load(self, name: str = "tiny.gguf", **options: Any) -> dict[str, Any]:
        return (await self.ask("load", model={"name": name}, options=options))[-1]

    async def send(self, **message: Any) -> list[dict[str, Any]]:
        return await self.ask("send", **{"messages": HELLO, "sampling": {"max_tokens": 3}, **message})


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Page], Awaitable[None]]], None]:
    tiny.write_tiny_llama(tmp_path / "tiny.gguf")
    for name in ("bert", "bert, reranker"):
        tiny.write_tiny(tmp_path / f"{name}.gguf", tiny.EMBEDDING[name])
    (tmp_path / "empty.gguf").touch()
    (tmp_path / "letter.gguf").write_text("dear")

    async def main(test: Callable[[Page], Awaitable[None]]) -> None:
        made = Page(tmp_path, monkeypatch)
        await asyncio.wait_for(test(made), 120)
        if made.session._model:
            made.session._model.destroy()

    return lambda test: asyncio.run(main(test))


async def is_alive(page: Page) -> None:
    answers = await page.send()
    assert answers[-1]["type"] == "done", answers
    assert answers[-1]["reason"] in ("length", "stop")


def test_what_was_found_out_about_a_gpu_is_told_and_taken_up(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = gpus.device("naga")
    monkeypatch.setattr(gpu, "tried", {})
    run, programs = gpu.run, list[str]()

    def seen(program: Program) -> None:
        programs.append(program.label)
        run(program)

    monkeypatch.setattr(gpu, "run", seen)

    async def test(page: Page) -> None:
        trial = (await page.load())["adapter"]["trial"]
        assert (trial["version"], trial["distrusted"]) == ("1", {})
        assert "llvmpipe" in trial["device"] and trial["tried"] and "trial" in programs
        for version, given, is_tried in (("1", trial, False), ("2", trial, True), ("1", None, True), ("1", 5, True)):
            programs.clear()
            gpu.tried = {}  # a later visit's device knows nothing yet
            page.visit(version)
            ready = await page.load(trial=given)
            assert ready["adapter"]["trial"] == {**trial, "version": version}
            assert ("trial" in programs) == is_tried

    page(test)


def test_the_first_text_goes_at_once(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """However short ago the page was told of the prompt; the rest is gathered."""
    monkeypatch.setattr("py_wgml.worker._PIECE_INTERVAL", 3600.0)

    async def test(page: Page) -> None:
        await page.load()
        *reading, first, rest, done = await page.send(sampling={"max_tokens": 30, "temperature": 0})
        assert {message["type"] for message in reading} == {"reading"}  # again, where it takes long
        assert (first["type"], rest["type"]) == ("piece", "piece")
        assert first["tokens"] < rest["tokens"] <= done["usage"]["completion_tokens"] == 30

    page(test)


@pytest.mark.parametrize("interval", [0.0, 3600.0])
def test_how_likely_tokens_were_is_told_with_them(interval: float, page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once each, however the text is gathered."""
    monkeypatch.setattr("py_wgml.worker._PIECE_INTERVAL", interval)

    async def test(page: Page) -> None:
        await page.load()
        asked = {"max_tokens": 12, "temperature": 0, "logprobs": True, "top_logprobs": 2, "logit_bias": {"5": -1}}
        *pieces, done = (await page.send(sampling=asked))[1:]
        told = [token for piece in pieces for token in piece.get("logprobs", [])]
        assert len(told) == done["usage"]["completion_tokens"] == 12
        assert all(token["logprob"] <= 0 and len(token["top_logprobs"]) == 2 for token in told)
        silent = (await page.send(sampling={"max_tokens": 12, "temperature": 0}))[1:]
        assert not any("logprobs" in piece for piece in silent)

    page(test)


def test_what_a_first_prompt_finds_out_is_known_once_a_model_is_loaded(page: Any) -> None:
    async def test(page: Page) -> None:
        await page.load()
        assert page.session._model is not None
        prompts = page.session._model._prompts
        assert prompts.template in prompts._formats

    page(test)


def test_marks_are_told_to_who_asks_for_them(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("py_wgml.worker._PIECE_INTERVAL", 0.0)

    async def test(page: Page) -> None:
        await page.load()
        assert not any("marks" in answer for answer in await page.send())
        began = time.perf_counter()
        first, *others = [answer for answer in await page.send(marks=True) if answer["type"] == "piece"]
        marks, ended = first["marks"], time.perf_counter()
        names = ["python", "template", "tokenizer", "submitted", "submitted ahead", "read", "text"]
        assert list(marks) == names and not any("marks" in other for other in others)
        assert [began, *marks.values(), ended] == sorted([began, *marks.values(), ended])
        assert (await page.send(marks=5))[0]["message"].startswith("marks")

    page(test)


def test_each_type(page: Any) -> None:
    async def test(page: Page) -> None:
        ready = await page.load(context=512, cache_bits=None)
        assert (ready["type"], ready["model"]["context_length"]) == ("ready", 512)
        reading, *pieces, done = await page.send()
        assert (reading["type"], {piece["type"] for piece in pieces}, done["type"]) == ("reading", {"piece"}, "done")
        assert done["usage"]["completion_tokens"] <= 3
        assert (await page.ask("card"))[0]["card"]["parameters"] > 0
        figures = (await page.ask("bench", **BENCH))[0]["figures"]
        assert figures["tokens_per_second"] and figures["kernels"]["linear_vector"]
        assert await page.ask("stop", id=99) == []
        await is_alive(page)
        assert page.reports == []

    page(test)


def test_vectors_and_scores(page: Any) -> None:
    async def test(page: Page) -> None:
        ready = await page.load("bert.gguf", context=512)
        assert (ready["model"]["kind"], ready["model"]["context_length"]) == ("embedding", 512)
        [reply] = await page.ask("embed", texts=["one", "", "two words"], dimensions=8)
        vectors = np.frombuffer(reply["vectors"], np.float32).reshape(-1, reply["width"])
        assert (reply["type"], vectors.shape) == ("embedded", (3, 8))
        assert reply["tokens"] > 2
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 0, 1], atol=1e-6)
        [reply] = await page.ask("embed", texts=[])
        assert (reply["vectors"], reply["width"], reply["tokens"]) == (b"", 64, 0)
        figures = (await page.ask("bench", **BENCH))[0]["figures"]
        assert all(rate > 0 for rate in figures["summary"].values()) and len(figures["summary"]) == 2
        assert figures["kernels"]["linear_tile"]
        ready = await page.load("bert, reranker.gguf")
        assert ready["model"]["kind"] == "reranker"
        [reply] = await page.ask("rerank", query="one", documents=["two", "three words"])
        assert (reply["type"], len(reply["scores"])) == ("ranked", 2)
        assert all(0 < score < 1 for score in reply["scores"])
        assert page.reports == []

    page(test)


def test_who_is_asked_for_what_it_can_t(page: Any) -> None:
    async def test(page: Page) -> None:
        await page.load()
        for type, message in (("embed", {"texts": ["one"]}), ("rerank", {"query": "one", "documents": ["two"]})):
            [error] = await page.ask(type, **message)
            assert "is a model that writes text" in error["message"]
        error = await page.load("bert.gguf", chat=True)
        assert (error["message"], error["loaded"]) == (
            "This model makes vectors of texts, for programs to search with: nobody can chat with it",
            True,
        )
        await is_alive(page)
        assert (await page.load(pooling="mean"))["model"]["kind"] == "embedding"
        await page.load("bert.gguf", cache_bits=8)
        odd: list[dict[str, Any]] = [{"texts": "one"}, {"texts": [1]}, {}, {"texts": ["one"], "dimensions": 0}]
        for given in odd:
            [error] = await page.ask("embed", **given)
            assert error["type"] == "error"
        [error] = await page.send()
        assert "is an embedding model, which makes vectors of texts: it generates no text" in error["message"]
        [error] = await page.ask("bench")
        assert error["message"].startswith("repetitions is ")
        assert page.reports == []

    page(test)


def test_before_a_model_is_loaded(page: Any) -> None:
    async def test(page: Page) -> None:
        for type in ("send", "card", "bench", "embed", "rerank"):
            [error] = await page.send() if type == "send" else await page.ask(type)
            assert (error["type"], error["message"], error["loaded"]) == ("error", "no model is loaded", False)

    page(test)


@pytest.mark.parametrize(
    "message",
    [None, "load", 5, [], {}, {"type": "load"}, {"id": "1", "type": "send"}, {"id": 0}, {"id": 1e300}, {"id": 2**53}],
)
def test_what_is_no_message(message: Any, page: Any) -> None:
    async def test(page: Page) -> None:
        await page.session.handle(message)
        [error] = page.answers
        assert (error["type"], error["id"]) == ("error", 0)
        [error] = await page.ask("sing")
        assert error["message"] == "there is no message of the type sing"

    page(test)


@pytest.mark.parametrize(
    ("sampling", "names"),
    [
        ({"temperature": "0.7"}, "temperature"),
        ({"temperature": math.nan}, "temperature"),
        ({"max_tokens": "5"}, "max_tokens"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"top_k": 1.5}, "top_k"),
        ({"top_k": True}, "top_k"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**32}, "seed"),
        ({"stop": 5}, "stop"),
        ({"stop": [""]}, "stop"),
        ({"stop": [None]}, "stop"),
        ({"tools": "weather"}, "tools"),
        ({"tools": 5}, "tools"),
        ({"tools": [5]}, "tools"),
        ({"chat_template_kwargs": []}, "chat_template_kwargs"),
        ({"max_token": 5}, "did you mean max_tokens"),
        ({"messages": []}, "there is no option messages"),
        ({"self": 1}, "there is no option self"),
        ({"chat_template_kwargs": {"messages": []}}, "messages is no variable"),
        ("hot", "sampling"),
        ({"seed": {1, 2}}, "sampling.seed is a set, not plain data"),
    ],
)
def test_a_wrong_option_ends_its_request_alone(sampling: Any, names: str, page: Any) -> None:
    async def test(page: Page) -> None:
        await page.load()
        [error] = await page.send(sampling=sampling)
        assert error["type"] == "error"
        assert names in error["message"]
        assert "\n" not in error["message"]
        assert error["loaded"]
        await is_alive(page)
        assert page.reports == []

    page(test)


@pytest.mark.parametrize(
    "sampling",
    [
        None,
        {},
        {"max_tokens": None, "temperature": None, "stop": None, "tools": None, "seed": None, "top_k": None},
        {"top_k": 40.0, "max_tokens": 5.0, "temperature": 1, "stop": "x"},
    ],
)
def test_what_says_nothing_is_taken(sampling: Any, page: Any) -> None:
    async def test(page: Page) -> None:
        await page.load(context=64)
        assert (await page.send(sampling=sampling))[-1]["type"] == "done"

    page(test)


@pytest.mark.parametrize("messages", [None, "hello", 5, {}, ["hello"], [None], [[]], [{}], [{"role": 5}]])
def test_what_is_no_conversation(messages: Any, page: Any) -> None:
    async def test(page: Page) -> None:
        await page.load()
        [error] = await page.send(messages=messages)
        assert "message" in error["message"]
        await is_alive(page)

    page(test)


def test_numbers_too_long_to_be_written(page: Any) -> None:
    async def test(page: Page) -> None:
        huge = 10**5000
        for message in ({"type": huge}, {"type": "stop", huge: 1}, {"type": "bench", "contexts": [huge]}):
            page.answers.clear()
            await page.session.handle({"id": 7, **message})
            [error] = page.answers
            assert (error["type"], error["id"]) == ("error", 7)
            assert "number of 16610 bits" in error["message"] or "a key of the message" in error["message"]
        assert page.reports == []

    page(test)


def test_files_that_are_no_models_leave_the_one_from_before(page: Any) -> None:
    async def test(page: Page) -> None:
        await page.load()
        for name in ("empty.gguf", "letter.gguf"):
            error = await page.load(name)
            assert (error["type"], error["stage"], error["loaded"]) == ("error", "load", True), error
            assert "\n" not in error["message"]
            assert "Error" not in error["message"]
        for options in ({"context": "many"}, {"context": 0}, {"cache_bits": 7}, {"colour": 1}):
            error = await page.load(**options)
            assert next(iter(options)) in error["message"]
        assert "names no model" in (await page.ask("load"))[-1]["message"]
        await is_alive(page)
        assert page.reports == []

    page(test)


def test_what_nobody_foresaw_ends_its_request_alone(page: Any) -> None:
    async def test(page: Page) -> None:
        await page.load()
        for error in (ValueError("two\nlines"), MemoryError(), RecursionError("deep"), AssertionError(), KeyError("x")):
            [told] = await page.ask("load", model={"name": "x", "error": error})
            assert type(error).__name__ in told["message"]
            assert "\n" not in told["message"]
            assert "Traceback" in page.reports.pop()
            await is_alive(page)
        failure = type("JsException", (Exception,), {"message": "The connection broke."})()
        assert (await page.ask("load", model={"name": "x", "error": failure}))[0]["message"] == "The connection broke."
        await is_alive(page)

    page(test)


def test_messages_in_whatever_order(page: Any) -> None:
    async def test(page: Page) -> None:
        endless = {"max_tokens": None}
        results: Any = await asyncio.gather(
            page.load(),
            page.send(id=101),
            page.send(id=102, sampling=endless),
            page.ask("stop", id=102),
            page.ask("card", id=103),
            page.load("letter.gguf"),
            page.send(id=104),
            page.load(),
            page.send(id=105),
        )
        last = {answer["id"]: answer for answer in page.answers if "id" in answer}
        assert [last[id]["type"] for id in (101, 102, 104, 105)] == ["done"] * 4
        assert last[102]["reason"] == "stopped"
        assert last[102]["usage"]["completion_tokens"] <= 1
        assert last[103]["type"] in ("card", "error")
        assert [results[i]["type"] for i in (0, 5, 7)] == ["ready", "error", "ready"]
        await is_alive(page)

    page(test)


def test_a_lost_gpu_ends_the_engine(page: Any) -> None:
    async def test(page: Page) -> None:
        await page.load()
        assert page.device
        page.device.lost.set_result(SimpleNamespace(reason="unknown", message="it was reset"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        told = page.answers[-1]
        assert (told["stage"], told.get("id")) == ("gpu", None)
        assert told["message"].endswith("it was reset")

    page(test)


def test_what_is_prepared_is_there() -> None:
    """A kernel that was renamed shows here, and not at the first visit."""
    prepare()
