"""Values from outside: what is taken, as what, and what is refused in one line."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import numpy as np
import pytest
from work import counted

from py_wgml import values
from py_wgml.errors import WgmlError
from py_wgml.ops import Sampling
from py_wgml.values import MAX_DEPTH, read_json

HUGE = 10**4000
WRONG: list[Any] = [
    "0.7",
    "",
    None,
    True,
    False,
    [1],
    {},
    b"1",
    1j,
    Decimal(1),
    np.array([1.0]),
    np.bool_(True),
    object(),
]


def refused(check: Callable[..., Any], *arguments: Any) -> str:
    with pytest.raises(WgmlError) as error:
        check("thing", *arguments)
    assert str(error.value).startswith("thing")
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 300
    return str(error.value)


@pytest.mark.parametrize("value", [40, 40.0, np.int64(40), np.uint8(40), np.float32(40)])
def test_what_means_a_whole_number_is_one(value: Any) -> None:
    found = values.integer("thing", value, 1, 100)
    assert (type(found), found) == (int, 40)


@pytest.mark.parametrize("value", [*WRONG, 40.5, math.nan, math.inf, -math.inf, np.float32("nan")])
def test_what_is_no_whole_number(value: Any) -> None:
    assert "not a whole number" in refused(values.integer, value, 0)


@pytest.mark.parametrize("value", [0, -1, 101, -0.0, HUGE, -HUGE, 1e300])
def test_whole_numbers_out_of_range(value: Any) -> None:
    assert "it must lie between 1 and 100" in refused(values.integer, value, 1, 100)


def test_numbers_that_are_too_long_to_be_written() -> None:
    refused(values.integer, 10**5000, 1, 100)
    refused(values.number, -(10**5000), 0)
    refused(values.number, 10**5000)
    refused(values.texts, [10**5000])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_told_by_its_name(value: float) -> None:
    assert f"thing is {value}; it must lie" in refused(values.number, value, 0, 1)
    assert str(value) in refused(values.integer, value, 0, 1)


def test_whole_numbers_without_an_end() -> None:
    assert values.integer("thing", 2**63, 1) == 2**63
    assert "at least 1" in refused(values.integer, 0, 1)


@pytest.mark.parametrize("value", [0.5, np.float32(0.5), np.float64(0.5)])
def test_numbers(value: Any) -> None:
    found = values.number("thing", value, 0, 1)
    assert (type(found), found) == (float, 0.5)
    assert type(values.number("thing", 1)) is float


@pytest.mark.parametrize("value", WRONG)
def test_what_is_no_number(value: Any) -> None:
    assert "not a number" in refused(values.number, value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 2, -0.1, HUGE])
def test_numbers_out_of_range(value: Any) -> None:
    assert "between 0 and 1" in refused(values.number, value, 0, 1)


def test_texts() -> None:
    value: object
    assert values.texts("thing", None) == []
    assert values.texts("thing", "a") == ["a"]
    assert values.texts("thing", ("a", "b")) == values.texts("thing", iter(["a", "b"])) == ["a", "b"]
    for value in (5, b"a", ["a", 1], ["a", None], {"a": "b"}, [["a"]]):
        assert "not" in refused(values.texts, value)
    for value in ("", ["a", ""]):
        assert "empty" in refused(values.texts, value)


def test_lists_and_mappings() -> None:
    value: object
    assert values.mapping("thing", None) == {}
    assert values.mapping("thing", {"a": 1}) == {"a": 1}
    assert values.integers("thing", np.array([1, 2]), 0, 9) == [1, 2]
    for value in ([], "a", {1: 2}, 5):
        refused(values.mapping, value)
    for value in ("12", {1: 2}, ["1"], [1.5], [True], [10], None, b"ab"):
        refused(values.integers, value, 0, 9)


def test_choices_flags_functions() -> None:
    assert values.one_of("thing", 16.0, (32, 16)) == 16
    for value in (8, "16", True, None, [16], 16.5):
        assert "one of 32, 16" in refused(values.one_of, value, (32, 16))
    assert [values.flag("thing", value) for value in (True, False, None)] == [True, False, False]
    for value in (0, 1, "true", []):
        refused(values.flag, value)
    refused(values.function, None)


def test_names_that_there_are_not_are_told_with_what_may_be_meant() -> None:
    with pytest.raises(WgmlError, match=r"there is no option max_token; did you mean max_tokens\?"):
        values.known(["max_token"], ["max_tokens", "stop"])
    with pytest.raises(WgmlError, match="there are max_tokens, stop"):
        values.known(["colour"], ["max_tokens", "stop"])


def test_plain_python_stays_as_it_is() -> None:
    value = {"a": [None, True, 1, 1.5, "x", {"b": ()}]}
    assert values.plain(value) == {"a": [None, True, 1, 1.5, "x", {"b": []}]}


@pytest.mark.parametrize("value", [{1, 2}, datetime.now(UTC), b"abc", np.ones(2), object(), len])
def test_what_is_no_plain_data(value: Any) -> None:
    with pytest.raises(WgmlError, match=r"the message\.a\[0\] is a .*, not plain data"):
        values.plain({"a": [value]})


def test_members_of_enums_are_their_values() -> None:
    class Role(str, Enum):  # noqa: UP042  (str() of a StrEnum's member is its value)
        USER = "user"

    class Size(int, Enum):
        SMALL = 1

    found = values.plain([Role.USER, {Role.USER: Size.SMALL}, True])
    assert str(found) == "['user', {'user': 1}, True]"


def test_halves_of_surrogate_pairs_become_characters() -> None:
    assert values.plain({"\ud800": "\ud83d\ude00 \udc00"}) == {"\ufffd": "\U0001f600 \ufffd"}


def doubled(value: Any, times: int) -> Any:
    """A list that holds the one before twice, `times` times over: no more than that in memory."""
    for _ in range(times):
        value = [value, value]
    return value


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (lambda: doubled(1, 60), f"{values.MAX_VALUES} values"),
        (lambda: {"a": doubled("x" * (1 << 20), 7)}, f"{values.MAX_CHARACTERS} characters"),
        (lambda: {"x" * (1 << 20): [1] * values.MAX_VALUES}, f"{values.MAX_VALUES} values"),
        (lambda: [10**5000], r"the message\[0\] is a number of 16610 bits"),
        (lambda: {10**5000: 1}, "a key of the message is of the type int, not text"),
    ],
)
def test_what_would_be_too_much_written_out(value: Callable[[], Any], says: str) -> None:
    """Made by a function: pytest writes parameters out."""
    made = value()
    with pytest.raises(WgmlError, match=says):
        counted(lambda: values.plain(made))
    assert values.plain(2**values.MAX_BITS - 1) == 2**values.MAX_BITS - 1


def test_what_is_wrong_is_told_in_few_characters() -> None:
    """Of what it holds in many places too, which Python's own repr() writes as often."""
    assert len(refused(values.text, doubled(1, 60))) < 200


def test_what_contains_itself_or_is_deep() -> None:
    endless: dict[str, Any] = {}
    endless["again"] = endless
    with pytest.raises(WgmlError, match="nested more than 100 levels"):
        values.plain(endless)
    with pytest.raises(WgmlError, match="not text"):
        values.plain({1: 2})


@pytest.mark.parametrize(
    "options",
    [
        {name: value}
        for name in vars(Sampling())
        for value in ("1", None, True, [1], math.nan, math.inf, -3, 1e9 + 0.5)
        if name != "dry_sequence_breakers" or not isinstance(value, str | list)
    ],
)
def test_sampling_takes_numbers_alone(options: dict[str, Any]) -> None:
    with pytest.raises(WgmlError, match=next(iter(options))):
        Sampling(**options)


def test_the_same_numbers_make_the_same_block() -> None:
    wanted = Sampling(1.0, 40, 1.0, 0.0, 1.0, 64, 7).uniform()
    assert Sampling(1, 40.0, np.float32(1), 0, np.int32(1), 64.0, np.int64(7)).uniform() == wanted  # type: ignore[arg-type]
    assert np.frombuffer(wanted, np.uint32)[[16, 17, 23]].tolist() == [40, 64, 7]


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "[[[[{{{{", "b": "]]}}\\"[["}',
        json.dumps(["[" * 500, "]" * 500, '"' * 500, "\\" * 501]),
        "[" * MAX_DEPTH + "]" * MAX_DEPTH,
        json.dumps([[{}]] * 500),
    ],
)
def test_json_is_read_as_python_reads_it(text: str) -> None:
    assert read_json(text) == json.loads(text)


@pytest.mark.parametrize("text", ["[" * 101, '{"a":' * 101 + "1" + "}" * 101, '["' + "[" * 99 + '",' + "[" * 100])
def test_json_that_is_nested_too_deeply(text: str) -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        read_json(text)
