"""Texts to vectors and scores: steps of several texts, what is cut, pairs and templates, who may be asked for what."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gpus
import numpy as np
import pytest
import tiny
from models.kept import IDS
from models.table import BOUND, error
from tiny import EMBEDDING, TINY, write_tiny

from py_wgml import Model, WgmlError
from py_wgml.generate import TokenizedText
from py_wgml.generate.bench import measure_embedding
from py_wgml.inputs import Inputs
from py_wgml.models.numpy_graph import NumpyModel
from py_wgml.tokenizer import from_metadata

TEXTS = [TokenizedText([*IDS[:count]]) for count in (3, 1, 21, 7, 0, 16, 2, 9)]


def file_of(folder: Path, name: str, **metadata: Any) -> Path:
    tiny = (EMBEDDING | TINY)[name]
    return write_tiny(folder / "tiny.gguf", replace(tiny, metadata={**tiny.metadata, **metadata}))


def run(path: Path, use: Callable[[Model], Awaitable[Any]], **options: Any) -> Any:
    async def main() -> Any:
        model = await Model.load(path, device=gpus.device("naga"), **options)
        try:
            return await use(model)
        finally:
            model.destroy()

    return asyncio.run(main())


def expected(path: Path, texts: list[TokenizedText]) -> Any:
    reference = NumpyModel(path, np.float64)
    width = len(reference.vector([1]))
    return np.stack([reference.vector(text.ids) if text.ids else np.zeros(width) for text in texts])


@pytest.mark.parametrize("many", [16, 24, 1 << 20])
@pytest.mark.parametrize("name", ["bert", "modern-bert", "qwen3, embedding"])
def test_texts_of_all_lengths_in_steps_of_all_sizes(
    name: str, many: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("py_wgml.generate.embedder._MANY", many)
    path = file_of(tmp_path, name)

    async def use(model: Model) -> Any:
        steps: list[int] = []
        submit = model.embedder._submit

        async def counted(texts: Any) -> Any:
            steps.append(sum(len(text.ids) for text in texts))
            return await submit(texts)

        monkeypatch.setattr(model.embedder, "_submit", counted)
        vectors = await model.embedder.vectors(TEXTS)
        assert sum(steps) == model.embedder.tokens == sum(len(text.ids) for text in TEXTS)
        assert max(steps) <= max(many, 21)
        assert (len(steps) == 1) == (many > 100)
        return vectors

    vectors = run(path, use)
    assert error(vectors, expected(path, TEXTS)) < BOUND
    assert not vectors[4].any()


def test_steps_are_as_long_as_a_gpu_may_be_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("py_wgml.generate.embedder._MANY", 64)

    async def use(model: Model) -> list[int]:
        embedder, rows = model.embedder, []
        for count, seconds in ((32, 0.001), (64, 0.5), (64, 1.0), (64, 100.0), (16, 0.0)):
            embedder._fit(count, seconds)
            rows.append(embedder._rows)
        return rows

    assert run(file_of(tmp_path, "bert"), use) == [64, 64, 32, 16, 64]


def test_a_long_text_makes_room_for_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("py_wgml.generate.embedder._MANY", 32)
    path = file_of(tmp_path, "jina-bert-v2")
    texts = [TokenizedText([*IDS] * 12), *TEXTS, TokenizedText([*IDS] * 3)]

    async def use(model: Model) -> Any:
        before = await model.embedder.vectors(TEXTS)
        vectors = await model.embedder.vectors(texts)
        np.testing.assert_allclose(await model.embedder.vectors(TEXTS), before, rtol=1e-5, atol=1e-6)
        return vectors

    assert error(run(path, use), expected(path, texts)) < BOUND


def test_what_ends_a_text_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids that are none, texts that are too long, a GPU that is full, a model that is destroyed."""

    async def use(model: Model) -> None:
        embedder = model.embedder
        first = await embedder.vectors(TEXTS)
        for text, message in (([512], "a token id is not below"), ([-1], "not below"), ([1] * 41, "41 tokens, .* 40")):
            with pytest.raises(WgmlError, match=message):
                await embedder.vectors([*TEXTS, TokenizedText(text)])

        async def full() -> None:
            raise WgmlError("the GPU is full")

        with monkeypatch.context() as patch:
            patch.setattr(embedder.device, "allocated", full)
            embedder._grow(16)
            with pytest.raises(WgmlError, match="the GPU is full: a text of 33 tokens is too long for it"):
                await embedder.vectors([TokenizedText([1] * 33)])
        np.testing.assert_allclose(await embedder.vectors(TEXTS), first, rtol=1e-5, atol=1e-6)
        both = await asyncio.gather(embedder.vectors(TEXTS), embedder.vectors(TEXTS[::-1]))
        np.testing.assert_allclose(both[1][::-1], both[0], rtol=1e-5, atol=1e-6)
        model.destroy()
        with pytest.raises(WgmlError, match="the model was destroyed"):
            await embedder.vectors(TEXTS)

    run(file_of(tmp_path, "bert"), use, context=40)


def test_embed(tmp_path: Path) -> None:
    async def use(model: Model) -> None:
        assert (model.kind, model.context) == ("embedding", 40)
        texts = ["one", "", "word " * 1000, "one"]
        vectors = await model.embed(texts)
        assert vectors.shape == (4, 64)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 0, 1, 1], atol=1e-6)  # no token of "" is left
        np.testing.assert_allclose(vectors[0], vectors[3], atol=1e-6)
        ids = model.tokenizer.encode(texts[2])[:40]
        raw = (await model.embedder.vectors([TokenizedText(ids)]))[0]
        np.testing.assert_allclose(vectors[2], raw / np.linalg.norm(raw), atol=1e-6)
        few = await model.embed(iter(texts), dimensions=8)
        np.testing.assert_allclose(few[0], vectors[0, :8] / np.linalg.norm(vectors[0, :8]), atol=1e-6)
        assert (await model.embed([])).shape == (0, 64)
        wrong: list[tuple[Any, dict[str, Any], str]] = [
            ("one", {}, "texts is the str 'one', not a list"),
            (["one", 2], {}, r"texts\[1\] is the int 2, not text"),
            (None, {}, "texts is None, not a list"),
            (["one"], {"dimensions": 65}, "dimensions is 65; it must lie between 1 and 64"),
            (["one"], {"dimensions": 0}, "dimensions is 0"),
        ]
        for given, options, message in wrong:
            with pytest.raises(WgmlError, match=message):
                await model.embed(given, **options)
        for call in (model.rerank("one", ["two"]), model.logits([1])):
            with pytest.raises(WgmlError, match=r"'tiny' is an embedding model, which makes vectors of texts"):
                await call
        with pytest.raises(WgmlError, match="it generates no text"):
            model.generate([{"role": "user", "content": "hello"}])

    run(file_of(tmp_path, "bert"), use, context=40)


def test_who_generates_makes_no_vectors_unless_told_how(tmp_path: Path) -> None:
    path = file_of(tmp_path, "llama")

    async def refused(model: Model) -> None:
        assert model.kind == "chat"
        for call in (model.embed(["one"]), model.rerank("one", ["two"])):
            with pytest.raises(WgmlError, match=r"'tiny' is a model that writes text, .* loaded with a pooling"):
                await call

    async def made(model: Model) -> Any:
        return await model.embed(["one word"])

    run(path, refused)
    assert run(path, made, pooling="mean").shape == (1, 64)
    with pytest.raises(WgmlError, match="pooling is the str 'sum', not one of mean, cls, last"):
        run(path, made, pooling="sum")


@pytest.mark.parametrize(
    "name", ["bert, reranker", "jina-bert-v2, reranker", "modern-bert, reranker", "qwen3, reranker"]
)
def test_rerank(name: str, tmp_path: Path) -> None:
    template = {"tokenizer.chat_template.rerank": "<|im_start|>{query} is {document}<|im_end|>"}
    path = file_of(tmp_path, name, **template if name == "qwen3, reranker" else {})
    documents = ["two", "three four", "five " * 100, "<|im_end|> {query}"]

    async def use(model: Model) -> Any:
        assert model.kind == "reranker"
        raw = await model.rerank("one {document}", documents, raw=True)
        scores = await model.rerank("one {document}", documents)
        np.testing.assert_allclose(scores, 1 / (1 + np.exp(-raw.astype(float))), rtol=1e-5)
        assert (await model.rerank("one", [])).shape == (0,)
        with pytest.raises(WgmlError, match="leaves no room for a document in the 64 tokens of both"):
            await model.rerank("one " * 64, ["two"])
        with pytest.raises(WgmlError, match=r"documents\[0\] is None, not text"):
            await model.rerank("one", [None])  # type: ignore[list-item]
        with pytest.raises(WgmlError, match="'tiny' is a reranker, which scores documents"):
            await model.embed(["one"])
        pairs = [model._inputs.pair("one {document}", document) for document in documents]
        assert len(pairs[2].ids) == 64
        return raw, pairs

    raw, pairs = run(path, use, context=64)
    reference = NumpyModel(path, np.float64)
    for score, pair in zip(raw, pairs, strict=True):
        types = None if pair.second is None else (np.arange(len(pair.ids)) >= pair.second) * 1
        found = reference.vector(pair.ids, types)
        wanted = found[0] if name != "qwen3, reranker" else found[0] - found[1]
        assert abs(score - wanted) < 1e-4


def test_a_reranker_that_says_yes_or_no(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files from before there was a head for it: the same rows are in the embedding."""
    tokens, types = tiny.vocabulary(512)
    yes, no = 400, 300
    tokens[yes], tokens[no] = "yes", "no"
    monkeypatch.setattr(tiny, "vocabulary", lambda size: (tokens, types))
    old = replace(EMBEDDING["qwen3, reranker"], rest="output_norm", shapes={})
    template = {"tokenizer.chat_template.rerank": "{query}? {document}<|im_end|>"}
    for pooling in ({"pooling_type": 4}, {}):
        metadata = {key: value for key, value in old.metadata.items() if key != "pooling_type"}
        path = write_tiny(tmp_path / "tiny.gguf", replace(old, metadata={**metadata, **template, **pooling}))

        async def use(model: Model) -> Any:
            assert (model.kind, model.embedder.width) == ("reranker", 2)
            return await model.rerank("one", ["two", "three"], raw=True), [
                model._inputs.pair("one", document).ids for document in ("two", "three")
            ]

        scores, ids = run(path, use)
        reference = NumpyModel(path, np.float64)
        rows = reference._file.dequantized("token_embd.weight")[[yes, no]].astype(np.float64)
        wanted = [np.subtract(*(rows @ reference.vector(text))) for text in ids]
        np.testing.assert_allclose(scores, wanted, rtol=1e-4)


def test_bench_figures(tmp_path: Path) -> None:
    figures = run(
        file_of(tmp_path, "bert"), lambda model: measure_embedding(model.embedder, 2, 3, [4, 40, 41]), context=40
    )
    rates = figures["texts_per_second_of_tokens"]
    assert list(rates) == ["4", "40"]
    assert all(0 < rate["low"] <= rate["median"] <= rate["high"] for rate in rates.values())


WORDS = ["<s>", "</s>", "<sep>", *"abcdefgh"]


def inputs(context: int = 100, closes: bool = False, **metadata: Any) -> Inputs:
    """Of a vocabulary of letters."""
    keys: dict[str, Any] = {"model": "gpt2", "pre": "gpt-2", "tokens": WORDS, "token_type": [3, 3, 3, *[1] * 8]}
    keys |= {"merges": [], "bos_token_id": 0, "eos_token_id": 1, "seperator_token_id": 2, **metadata}
    found = {name if "." in name else f"tokenizer.ggml.{name}": value for name, value in keys.items()}
    arrays = {name: np.array(value) if name.endswith("_type") else value for name, value in found.items()}
    header: Any = SimpleNamespace(metadata=arrays)
    return Inputs(from_metadata(arrays, "python"), header, context, closes)


def words(ids: Any) -> str:
    return " ".join(WORDS[id] for id in ids)


@pytest.mark.parametrize(
    ("metadata", "text", "pair"),
    [
        ({}, "a b", "a c"),
        ({"add_bos_token": True}, "<s> a b", "<s> a c"),
        ({"add_bos_token": True, "add_eos_token": True}, "<s> a b </s>", "<s> a </s> c </s>"),
        (
            {"add_bos_token": True, "add_eos_token": True, "add_sep_token": True, "seperator_token_id": 1},
            "<s> a b </s>",
            "<s> a </s> </s> c </s>",
        ),
    ],
    ids=str,
)
def test_what_stands_around_texts(metadata: dict[str, Any], text: str, pair: str) -> None:
    made = inputs(**metadata)
    assert words(made.text("ab").ids) == text
    found = made.pair("a", "c")
    assert words(found.ids) == pair
    assert words(found.ids[found.second :]).startswith("c")


def test_a_text_is_cut_before_its_end() -> None:
    made = inputs(5, add_bos_token=True, add_eos_token=True)
    assert words(made.text("abcdefgh").ids) == "<s> a b c </s>"
    assert words(made.pair("a", "cdefgh").ids) == "<s> a </s> c </s>"
    with pytest.raises(WgmlError, match="leaves no room"):
        made.pair("ab", "c")


def test_a_text_whose_last_row_counts_ends_with_eos() -> None:
    assert words(inputs(closes=True).text("ab").ids) == "a b </s>"
    assert words(inputs(3, closes=True).text("abcd").ids) == "a b </s>"
    assert words(inputs(closes=True).text("").ids) == "</s>"
    assert words(inputs(closes=True, add_eos_token=True).text("ab").ids) == "a b </s>"


def test_a_template_names_query_and_document() -> None:
    template: dict[str, Any] = {"tokenizer.chat_template.rerank": "<s>{query}h{document}<sep>"}
    assert words(inputs(**template).pair("a", "bc").ids) == "<s> a h b c <sep>"
    assert words(inputs(6, **template).pair("a", "bcdefg").ids) == "<s> a h b c <sep>"
    with pytest.raises(WgmlError, match="leaves no room"):
        inputs(4, **template).pair("a", "b")
