"""Regular expressions: what is written, `re` matches; what it matches, can be written."""

from __future__ import annotations

import json
import random
import re

import pytest
from grammar import naive
from grammar.walks import Walker

from py_wgml.errors import WgmlError
from py_wgml.grammar.automaton import compile
from py_wgml.grammar.json_text import string, text_characters
from py_wgml.grammar.nodes import Grammar
from py_wgml.grammar.regex import regex

# With texts that match as a whole, and such that don't.
CASES: list[tuple[str, list[str], list[str]]] = [
    ("abc", ["abc"], ["", "ab", "abcd"]),
    ("a|bc|", ["a", "bc", ""], ["b", "abc"]),
    ("[a-c]+x?", ["a", "abcx"], ["x", "d"]),
    (r"\d{3}-\d{4}", ["123-4567"], ["12-4567", "123-45678"]),
    (r"(?:\+\d{1,3} )?\d+", ["+49 30", "7"], ["+ 30"]),
    ("a{2,3}b{2}c{1,}d{,2}", ["aabbc", "aaabbccdd"], ["abbc", "aabbcddd"]),
    ("(ab*)*?c+?", ["c", "abbac", "acc"], ["ab"]),
    (".*", ["", "ä€👋"], ["a\nb"]),
    ("(?s).", ["\n", "€"], [""]),
    ("[^a-z]", ["A", "ß", "\n", "👋"], ["q", ""]),
    (r"[^\W\d]+", ["abc_"], ["a1", "-"]),
    (r"\w+@\w+\.\w{2,}", ["a@b.de"], ["a@b.c", "@b.de"]),
    (r"\S+\s\S+", ["a b", "ä\tö"], ["ab", "a  b\u00a0c d"]),
    (r"\D\W", ["a-", "€ "], ["1-", "aa"]),
    ("^a$", ["a"], ["", "aa"]),
    (r"\Aa\Z", ["a"], ["b"]),
    ("(?P<year>[12][0-9]{3})(?P<rest>-[0-9]{2})?", ["1999", "2024-05"], ["3000"]),
    ("(?i)yes|no", ["YES", "No", "yEs"], ["ye"]),
    ("(?i:a)b", ["Ab", "ab"], ["AB"]),
    ("[ぁ-ゟ]+|[β-ω]+", ["ひらがな", "λβ"], ["カ", "Ω"]),
    (r"\u00e9|\x41|\t", ["é", "A", "\t"], ["e"]),
    (r"[]-]+[\[]", ["]-["], ["["]),
    (r"(a|b)(?:c|(?:d|e)f)*", ["a", "bcdfef"], ["c", "ad"]),
    ("(?:0|[1-9][0-9]*)(?:\\.[0-9]+)?", ["0", "10.50"], ["01", "1."]),
    ("", [""], ["a"]),
    ("(?:)", [""], ["a"]),
    ("[🙂-🙏]{2}", ["🙂🙏"], ["🙂", "👋🙂"]),
]

# What JSON schemas call a pattern: it may match anywhere.
SEARCHED: list[tuple[str, list[str], list[str]]] = [
    ("b", ["b", "abc", "\nb\n"], ["", "ac"]),
    ("^a", ["a", "ab"], ["ba"]),
    ("a$", ["a", "ba"], ["ab"]),
    ("^$", [""], ["a"]),
    ("^a|b$", ["ax", "xb"], ["xa", "bx"]),
    ("(^|,)x(,|$)", ["x", "a,x", "x,a", "a,x,b"], ["ax", "xa"]),
    ("^(a|b)$", ["a", "b"], ["ab"]),
    ("^.$", ["a"], ["\n", "\r", "\u2028"]),
    (r"[\"\\]{2}", ['x"\\'], ['"']),
]

REFUSED = {
    r"(a)\1": "a backreference",
    "(?=a)b": "lookahead or lookbehind",
    "(?<!a)b": "negative lookahead or lookbehind",
    r"\bword": "a word boundary",
    "(?>a)b": "an atomic group",
    "a++": "a possessive quantifier",
    "(a)?(?(1)b|c)": "a condition on a group",
    "a^b": r"\^ or \$ amid a pattern",
    "(?:^a)+b": r"\^ or \$ amid a pattern",
    "(?i)[^a]": "a negated class that ignores case",
    "a{9999}": "9999 repetitions",
    "(a": "can't be read",
    "((a{100}){100}){100}": "too large",
    "(" * 5000 + "a" + ")*" * 5000: "can't be read|nested too deeply",
    r"\p{L}": "can't be read",
}


@pytest.mark.parametrize(("pattern", "matching", "others"), CASES, ids=[case[0] or "empty" for case in CASES])
def test_whole_texts(pattern: str, matching: list[str], others: list[str]) -> None:
    grammar = Grammar(regex(pattern))
    automaton = compile(grammar)
    for text in matching:
        assert re.fullmatch(pattern, text)
        assert automaton.matches(text.encode()), text
    for text in others:
        assert not automaton.matches(text.encode()), text
    walker, chance = Walker(automaton), random.Random(pattern)
    for _ in range(30):
        found = walker.walk(chance, 30)
        assert re.fullmatch(pattern, found.decode()), found
        assert naive.matches(grammar, found)


@pytest.mark.parametrize(("pattern", "matching", "others"), SEARCHED, ids=[case[0] for case in SEARCHED])
def test_patterns_of_json_strings(pattern: str, matching: list[str], others: list[str]) -> None:
    automaton = compile(Grammar(string(regex(pattern, text_characters, search=True))))
    for text in matching:
        assert automaton.matches(json.dumps(text, ensure_ascii=False).encode()), text
    for text in others:
        assert not automaton.matches(json.dumps(text, ensure_ascii=False).encode()), text
    walker, chance = Walker(automaton), random.Random(pattern)
    for _ in range(30):
        found = json.loads(walker.walk(chance, 30))
        assert re.search(pattern.replace("$", r"\Z"), found), found


@pytest.mark.parametrize("pattern", REFUSED)
def test_refusals_name_the_reason(pattern: str) -> None:
    with pytest.raises(WgmlError, match=REFUSED[pattern]) as caught:
        regex(pattern)
    assert "\n" not in str(caught.value)


LETTERS = "ab1-é\n"


def random_pattern(chance: random.Random, depth: int = 3) -> str:
    """A pattern of what is supported, of few letters, so that texts often match."""
    if depth == 0 or chance.random() < 0.3:
        return chance.choice(["a", "b", "1", "-", "é", ".", "[ab]", "[^a]", r"\d", r"[\d-]", "[a-b1]"])
    kind = chance.randrange(4)
    if kind == 0:
        return "".join(random_pattern(chance, depth - 1) for _ in range(chance.randint(1, 3)))
    if kind == 1:
        return "(?:" + "|".join(random_pattern(chance, depth - 1) for _ in range(chance.randint(1, 3))) + ")"
    return f"(?:{random_pattern(chance, depth - 1)})" + chance.choice(["*", "+", "?", "{2}", "{1,3}", "{0,2}", "*?"])


def test_any_pattern_takes_what_re_takes() -> None:
    chance = random.Random(5)
    took = 0
    for _ in range(250):
        pattern = random_pattern(chance)
        automaton = compile(Grammar(regex(pattern)))
        for _ in range(30):
            text = "".join(chance.choice(LETTERS) for _ in range(chance.randint(0, 5)))
            assert automaton.matches(text.encode()) == bool(re.fullmatch(pattern, text)), (pattern, text)
            took += bool(re.fullmatch(pattern, text))
        assert re.fullmatch(pattern, Walker(automaton).walk(chance, 20).decode())
    assert took > 500
