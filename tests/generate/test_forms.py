"""Answers in the form that was asked for, by a model that would write anything: tiny, random, and hot."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import gpus
import pytest
import scripted
import tiny
from generate.required_calls import converse
from gguf import TokenType
from grammar import naive
from grammar.schemas import SCHEMAS
from grammar.suite import DRAFTS, groups
from grammar.test_schema import FORMATS, VALIDATORS
from tiny import TINY, write_tiny
from typing_extensions import TypedDict

from py_wgml import Model
from py_wgml.errors import WgmlError
from py_wgml.generate import Generation
from py_wgml.generate.constraint import TokenTexts
from py_wgml.generate.pace import Pace
from py_wgml.grammar.gbnf import gbnf
from py_wgml.grammar.schema import schema

MESSAGES = [{"role": "user", "content": "Hello"}]
CLOSING = ['"', "}", "]", ",", ":", " ", "\\", "e", "0", "[", "{"]


def vocabulary(size: int) -> tuple[list[str], list[TokenType]]:
    """Every byte, and what JSON has between its values: tokens that end one thing and begin another."""
    from tokenizers.pre_tokenizers import ByteLevel

    tokens = [*tiny.SPECIAL, *sorted(ByteLevel.alphabet())]
    pairs = itertools.chain(*(itertools.product(CLOSING, repeat=n) for n in (2, 3)))
    words = ("".join(pair).replace(" ", "\u0120") for pair in pairs if pair[0] in '"}],')
    tokens += itertools.islice((word for word in words if word not in tokens), size - len(tokens))
    return tokens, [TokenType.CONTROL] * len(tiny.SPECIAL) + [TokenType.NORMAL] * (size - len(tiny.SPECIAL))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny, "vocabulary", vocabulary)
        return write_tiny(
            tmp_path_factory.mktemp("forms") / "tiny.gguf", dataclasses.replace(TINY["llama"], layers=1, context=4096)
        )


def run(path: Path, scenario: Callable[[Model], Awaitable[None]], compiler: str = "naga", **options: Any) -> None:
    async def main() -> None:
        model = await Model.load(path, device=gpus.device(compiler), **options)
        try:
            await scenario(model)
        finally:
            model.destroy()

    asyncio.run(main())


async def answer(model: Model, seed: int = 0, temperature: float = 1.5, **options: Any) -> Generation:
    given = {"max_tokens": 200, "temperature": temperature, "seed": seed, "top_k": 0, "top_p": 1, "min_p": 0}
    generation = model.generate(MESSAGES, **(given | options))
    async for _ in generation:
        pass
    return generation


def accepted() -> list[tuple[str, str, Any]]:
    """Schemas of real life, and those of the suite that are supported."""
    found = [(DRAFTS["draft 7" in name], name, value) for name, value in SCHEMAS]
    for name, value, _ in groups(DRAFTS[0]):
        try:
            schema(value)
        except WgmlError:
            continue
        found.append((DRAFTS[0], name, value))
    return found


def test_schemas(path: Path) -> None:
    async def scenario(model: Model) -> None:
        found, whole = accepted(), 0
        for seed, (draft, name, value) in enumerate(found):
            said = await answer(model, seed, schema=value)
            if said.reason == "length":
                continue
            whole += 1
            assert said.reason == "stop"
            errors = VALIDATORS[draft](value, format_checker=FORMATS).iter_errors(json.loads(said.text))
            assert not [error.message for error in errors], (name, said.text)
            assert said.parsed == json.loads(said.text)
        assert len(found) > 300
        assert whole > 0.95 * len(found)  # a model that is random may go on for long

    run(path, scenario)


REGEXES = [
    r"\d{4}-(0\d|1[0-2])",
    r"[a-z]{3,8}( [a-z]+){0,3}\.",
    r"(\w+)@(\w+)\.(com|org)",
    r"#[0-9A-F]{6}",
    "[äöü€]{2}|😀",
]
GRAMMARS = [
    'root ::= item+\nitem ::= "- " [a-z]{1,9} "\\n"',
    'root ::= sum\nsum ::= term ("+" term)*\nterm ::= [0-9] | "(" sum ")"',
    'root ::= "a" root "a" | "b" root "b" | "-"',
]


@pytest.mark.parametrize("compiler", ["naga", pytest.param("tint", marks=pytest.mark.slow)])
def test_other_forms(path: Path, compiler: str) -> None:
    async def scenario(model: Model) -> None:
        for seed, pattern in enumerate(REGEXES):
            said = await answer(model, seed, regex=pattern)
            assert re.fullmatch(pattern, said.text) or said.reason == "length", (pattern, said.text)
        for seed, grammar in enumerate(GRAMMARS):
            said = await answer(model, seed, grammar=grammar)
            assert said.reason == "length" or naive.matches(gbnf(grammar), said.text.encode()), (grammar, said.text)
        for seed in range(3):
            said = await answer(model, seed, choices=["yes", "no", "perhaps not"])
            assert said.text in ("yes", "no", "perhaps not")
            assert said.parsed == said.text
            assert said.reason == "stop"

    run(path, scenario, compiler)


@dataclasses.dataclass
class Point:
    x: int
    label: str = "a"


class Named(TypedDict):
    name: str


def test_types_of_python(path: Path) -> None:
    class Validated:
        """What pydantic's models have, as far as it is asked for."""

        @staticmethod
        def model_json_schema() -> dict[str, Any]:
            return {"type": "object", "properties": {"n": {"enum": [1, 2]}}, "required": ["n"]}

        @staticmethod
        def model_validate_json(text: str) -> tuple[str, Any]:
            return "validated", json.loads(text)

    async def scenario(model: Model) -> None:
        assert isinstance((await answer(model, schema=Point)).parsed["x"], int)
        assert {*(await answer(model, schema=Named)).parsed} == {"name"}
        assert (await answer(model, schema=Validated)).parsed[0] == "validated"
        assert (await answer(model, schema=list[bool], max_tokens=None)).parsed is not None

    run(path, scenario)


FORM = {"type": "object", "properties": {"temperature": {"enum": [17, 18]}, "unit": {"const": "celsius"}}}
FORM["required"] = ["temperature", "unit"]


def test_what_alone_can_follow_is_taken_at_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And is the same text: what the model chooses it chooses alike, but how it would have cut the rest into tokens."""
    monkeypatch.setattr(Pace, "took", lambda *_: None)  # however quick the machine, so many steps are under way

    async def scenario(model: Model) -> None:
        model.runner._in_flight, model.runner._pace.batch = 1, 1
        said = await answer(model, temperature=0, schema=FORM)
        assert said.parsed["unit"] == "celsius"
        assert said.usage.forced_tokens > 0.6 * said.usage.completion_tokens
        assert said.usage.completion_tokens <= 300
        # It is the beginning of an answer that is cut off in what is forced, too.
        begun = await answer(model, temperature=0, schema=FORM, max_tokens=4)
        assert begun.reason == "length"
        assert said.text.startswith(begun.text)
        assert begun.usage.completion_tokens == 4
        with pytest.raises(WgmlError, match="no whole one"):
            _ = begun.parsed
        # Whether tokens are awaited one by one, or many are under way.
        model.runner._in_flight, model.runner._pace.batch = 3, 4
        assert (await answer(model, temperature=0, schema=FORM)).text == said.text

    run(path, scenario)


def test_steps_under_way_and_checks_keep_to_it(path: Path) -> None:
    """Each knows the state that the one before it has left on the GPU."""
    value = {"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 30, "maxItems": 30}

    async def scenario(model: Model) -> None:
        plain = await answer(model, temperature=0, schema=value)
        model.runner._in_flight, model.runner._pace.batch = 3, 7
        assert (await answer(model, temperature=0, schema=value)).text == plain.text
        model.runner.speculate = True
        checked = await answer(model, temperature=0, schema=value)
        assert checked.text == plain.text
        assert checked.usage.accepted_tokens > 0
        assert len(checked.parsed) == 30

    run(path, scenario, speculate=True)


def test_an_answer_is_gone_on_with(path: Path) -> None:
    async def scenario(model: Model) -> None:
        begun = [*MESSAGES, {"role": "assistant", "content": '{"temperature": 1'}]
        generation = model.generate(begun, schema=FORM, temperature=0)
        async for _ in generation:
            pass
        assert json.loads(begun[1]["content"] + generation.text)["unit"] == "celsius"
        with pytest.raises(WgmlError, match="what the answer begins with does not fit"):
            model.generate([*MESSAGES, {"role": "assistant", "content": "Sure!"}], schema=FORM)

    run(path, scenario)


def test_forms_follow_one_another(path: Path) -> None:
    """Small, large, none, the first again: tables of any size take the place of others."""

    async def scenario(model: Model) -> None:
        large = {"type": "array", "items": {"type": "string", "maxLength": 90}, "maxItems": 3}
        for value in (FORM, large, None, FORM):
            said = await answer(model, schema=value, max_tokens=40)
            if value is FORM:
                assert {*said.parsed} == {"temperature", "unit"}
        one, other = await asyncio.gather(answer(model, 1, schema=FORM), answer(model, 2, choices=["yes", "no"]))
        assert one.parsed["unit"] == "celsius"
        assert other.text in ("yes", "no")

    run(path, scenario)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"schema": {"not": {}}}, r'"not" is not supported'),
        ({"schema": False}, "nothing"),
        ({"schema": {"type": "string"}, "regex": "a"}, "one form, not several at once: schema, regex"),
        ({"regex": "(a"}, "parenthes|unterminated"),
        ({"regex": 3}, "regex is the int 3, not text"),
        ({"choices": []}, "choices"),
        ({"grammar": 'root ::= "a'}, "line 1"),
        ({"schema": object()}, "no JSON schema"),
    ],
)
def test_refusals(path: Path, options: Any, message: str) -> None:
    async def scenario(model: Model) -> None:
        with pytest.raises(WgmlError, match=message) as caught:
            model.generate(MESSAGES, **options)
        assert "\n" not in str(caught.value)

    run(path, scenario)


def test_a_vocabulary_that_can_not_say_it(path: Path) -> None:
    """An error, and no endless loop: with a token for every byte there is always one, so this takes some away."""

    async def scenario(model: Model) -> None:
        texts = TokenTexts(model.tokenizer)
        poor = [b"" if b"7" in text else text for text in map(texts.__getitem__, range(model.tokenizer.vocab_size))]
        model._forms._token_texts = lambda shown: _Poor(poor, texts)  # type: ignore[method-assign]
        with pytest.raises(WgmlError, match="no token of this model's vocabulary goes on"):
            await answer(model, regex="[a-c]{3}7.")

    run(path, scenario)


@pytest.mark.parametrize("space", [True, False])
def test_tokens_that_say_a_text(space: bool) -> None:
    """And nothing beside: no space that a vocabulary puts in front of what it encodes."""
    tokenizer = scripted.sentencepiece("bytes" if space else "bytes, no prefix")
    texts = TokenTexts(tokenizer)
    for data in (
        b'"name": "',
        b' "city": "x"',
        b"  a",
        "\u043a\u043b\u044e\u0447".encode(),
        b"temperature",
        b"\xb8abc",
        b"a\xd0",
    ):
        said = b"".join(map(tokenizer.token_bytes, texts.encode(data)))
        assert said in (data, data[:-1], b""), data
        assert said or data == b"\xb8abc"


class _Poor(TokenTexts):
    def __init__(self, found: list[bytes], texts: TokenTexts) -> None:
        self._found, self.ends = found, texts.ends
        from py_wgml.ops import text_words

        self.words = text_words(found, texts.ends)

    def __getitem__(self, id: int) -> bytes:
        return self._found[id]

    def encode(self, data: bytes) -> list[int]:
        return []


def test_required_calls_are_valid_by_any_chance(path: Path) -> None:
    async def scenario(model: Model) -> None:
        for seed in range(2):
            assert await converse(model, seed, 1.5) == []

    run(path, scenario)


@pytest.mark.slow
@pytest.mark.thorough  # minutes, where there is no GPU
def test_required_calls_of_a_real_model(smollm2_path: Path) -> None:
    async def scenario(model: Model) -> None:
        assert await converse(model, 0, 1.0) == []

    run(smollm2_path, scenario, context=2048)
