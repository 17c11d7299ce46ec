"""What is written by a schema fits it, says `jsonschema`; what doesn't fit can't be written; the rest is refused."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
from grammar import naive
from grammar.schemas import SCHEMAS
from grammar.suite import DRAFTS, groups
from grammar.walks import Walker

from py_wgml.errors import WgmlError
from py_wgml.grammar.automaton import Automaton, compile
from py_wgml.grammar.schema import schema

_TIME = r"\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"
_FORMATS = jsonschema.FormatChecker()


@_FORMATS.checks("date-time", ValueError)
def _date_time(value: Any) -> bool:
    return not isinstance(value, str) or bool(re.search(f"T{_TIME}$", value) and datetime.fromisoformat(value))


@_FORMATS.checks("time", ValueError)
def _time(value: Any) -> bool:
    return not isinstance(value, str) or bool(
        re.fullmatch(_TIME, value) and datetime.fromisoformat(f"2000-01-01T{value}")
    )


@_FORMATS.checks("duration")
def _duration(value: Any) -> bool:
    number = r"(\d+{})?"
    parts = "".join(number.format(unit) for unit in "YMWD"), "".join(number.format(unit) for unit in "HMS")
    return not isinstance(value, str) or bool(re.fullmatch(rf"P(?=\d|T){parts[0]}(T(?=\d){parts[1]})?", value))


@_FORMATS.checks("hostname")
def _hostname(value: Any) -> bool:
    label = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    return not isinstance(value, str) or bool(re.fullmatch(rf"{label}(\.{label})*", value) and len(value) <= 253)


@_FORMATS.checks("uri", ValueError)
def _uri(value: Any) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme and urlsplit(value).hostname and " " not in value)


def _multiple(validator: Any, factor: Any, value: Any, whole: Any) -> Any:
    """Floats divide inexactly; what is meant is the number that is written."""
    if validator.is_type(value, "number") and Fraction(Decimal(repr(value))) % Fraction(Decimal(repr(factor))):
        yield jsonschema.ValidationError("no multiple")


VALIDATORS = {
    draft: jsonschema.validators.extend(of, {"multipleOf": _multiple})
    for draft, of in zip(DRAFTS, (jsonschema.Draft202012Validator, jsonschema.Draft7Validator), strict=True)
}


def check_walks(name: str, value: Any, automaton: Automaton, count: int, draft: str = DRAFTS[0]) -> None:
    """Texts that `automaton` takes are JSON that fits."""
    validator = VALIDATORS[draft](value, format_checker=_FORMATS)
    walker, chance = Walker(automaton), random.Random(name)
    for _ in range(count):
        text = walker.walk(chance).decode()
        found = json.loads(text, object_pairs_hook=lambda pairs: _once(pairs, value))
        error = jsonschema.exceptions.best_match(validator.iter_errors(found))
        assert error is None, (name, text, error.message)


def _once(pairs: list[tuple[str, Any]], value: Any) -> dict[str, Any]:
    """An object, in which no name that a schema declares comes twice."""
    if isinstance(value, dict) and isinstance(value.get("properties"), dict):
        twice = {name for name, count in Counter(name for name, _ in pairs).items() if count > 1}
        assert not twice & {*value["properties"]}
    return dict(pairs)


@pytest.mark.parametrize(("name", "value"), SCHEMAS, ids=[name for name, _ in SCHEMAS])
def test_answers_fit_schemas_of_real_life(name: str, value: Any) -> None:
    grammar = schema(value)
    automaton = compile(grammar)
    check_walks(name, value, automaton, 24, DRAFTS["draft 7" in name])
    walker, chance = Walker(automaton), random.Random(name)
    for _ in range(3):  # a second opinion, also of texts that are nearly right
        text = bytearray(walker.walk(chance, 40))
        assert naive.matches(grammar, bytes(text))
        text.insert(chance.randrange(len(text) + 1), chance.choice(b' ",:{}[]0a\\'))
        assert automaton.matches(bytes(text)) == naive.matches(grammar, bytes(text)), text


def test_that_recursive_schemas_need_no_bound() -> None:
    """Wherever JSON nests, a byte tells what is called."""
    assert [name for name, value in SCHEMAS if compile(schema(value)).depth is not None] == []


# Groups of the suite that are refused, by what for.
REFUSED = {}  # type: ignore[var-annotated]


def test_the_suite() -> None:
    refusals: Counter[str] = Counter()
    accepted, fitting, written = 0, 0, 0
    for draft in DRAFTS:
        for name, value, tests in groups(draft):
            try:
                automaton = compile(schema(value))
            except WgmlError as error:
                refusals[_reason(str(error))] += 1
                continue
            accepted += 1
            for test in tests:
                texts = [json.dumps(test["data"], ensure_ascii=False, separators=s) for s in ((", ", ": "), (",", ":"))]
                taken = any(automaton.matches(text.encode(errors="surrogatepass")) for text in texts)
                assert test["valid"] or not taken, (name, texts[0])
                fitting += test["valid"]
                written += taken
            check_walks(name, value, automaton, 4, draft)
    assert dict(refusals) == REFUSED
    assert accepted > 400
    # Some of what fits is never written: other orders of members, members that no schema names, numbers like 1.0.
    assert written / fitting > 0.85


def _reason(message: str) -> str:
    """What a schema was refused for, without its own names."""
    assert message.startswith("JSON schema: ") and "\n" not in message
    found = re.search(r'"\$?\w+"(?= is not supported)|"\$ref"|"oneOf"|"format"|"multipleOf"|"uniqueItems"', message)
    other = re.search("nothing fits|no regular expression", message)
    assert found or other, message
    return found[0].strip('"') if found else other[0] if other else ""
