"""GBNF: what grammars of llama.cpp's notation take, and where they are wrong."""

from __future__ import annotations

import json
import random

import pytest
from grammar import naive
from grammar.walks import Walker

from py_wgml.errors import WgmlError
from py_wgml.grammar.automaton import compile
from py_wgml.grammar.gbnf import gbnf

JSON = r"""
# any value, with white space as it comes
root   ::= value
value  ::= object | array | string | number | ("true" | "false" | "null")
object ::=
  "{" ws (
    string ":" ws value ws
    ("," ws string ":" ws value ws)*
  )? "}"
array  ::= "[" ws ( value ws ("," ws value ws)* )? "]"
string ::= "\"" ( [^"\\\x7F\x00-\x1F] | "\\" (["\\bfnrt] | "u" [0-9a-fA-F]{4}) )* "\""
number ::= "-"? ([0-9] | [1-9] [0-9]{0,14}) ("." [0-9]{1,9})? ([eE] [-+]? [0-9]{1,2})?
ws     ::= | " " | "\n" [ \t]{0,4}
"""
CHESS = r"""
root ::= ( # a game
    "1. " move " " move "\n"
    # and how it goes on
    ([1-9] [0-9]? ". " move " " move "\n")+
)
move    ::= (pawn | piece | castle) [+#]?
piece   ::= [NBKQR] [a-h]? [1-8]? "x"? [a-h] [1-8]
pawn    ::= ([a-h] "x")? [a-h] [1-8] ("=" [NBKQR])?
castle  ::= "O-O" "-O"?
"""
ARITHMETIC = """root ::= (sum "=" ws term "\\n")+
sum ::= term ([-+*/] term)*
term ::= name | num | "(" ws sum ")" ws
name ::= [a-z] [a-z0-9_]* ws
num ::= [0-9]+ ws
ws ::= [ \\t\\n]*"""

CASES: list[tuple[str, list[str], list[str]]] = [
    ('root ::= "a"', ["a"], ["", "b"]),
    ('root ::= "a" | "b" |\n "c"', ["a", "b", "c"], ["ab"]),
    ('root ::= "a"? [0-9]+ "z"*', ["1", "a12zz"], ["a", "z"]),
    ('root ::= "x"{2} "y"{1,} "z"{0,2}', ["xxy", "xxyyzz"], ["xy", "xxyzzz"]),
    ('root ::= "ab"{2}', ["abab"], ["abb"]),
    ('root ::= ("- " item)+\nitem ::= [^\\n]+ "\\n"', ["- a\n", "- a\n- ß\n"], ["- a", "-a\n"]),
    ('root ::= "\\x41\\u00e9\\U0001F44B\\t\\"\\\\"', ['Aé👋\t"\\'], ["A"]),
    ("root ::= [ぁ-ゟ]+ [a\\-z\\]] [x-]", ["ひら]-", "ひ-x"], ["ひb-"]),
    ('root ::= . "b" .', ["ab\n", "👋bb"], ["ab"]),
    ('root ::= "" "a"', ["a"], [""]),
    ("root ::= rule-1 rule_2 Rule3\nrule-1 ::= [a]\nrule_2 ::= [b]\nRule3 ::= [c]", ["abc"], ["ab"]),
    ('later ::= "b"\r\nroot ::= "a" later # the end', ["ab"], ["a"]),
    ('root ::= "(" root ")" | ""', ["", "()", "((()))"], ["(", "())"]),
    ('root ::= "a" root "b" | "a" "b"', ["ab", "aaabbb"], ["aab"]),
    (CHESS, ["1. e4 e5\n2. Nf3 Nc6\n", "1. d4 O-O\n12. exd8=Q O-O-O+\n"], ["1. e4 e5\n", "2. e4 e5\n"]),
    (ARITHMETIC, ["1+x=3\n", "(a1 *(2+3))=7 \n"], ["1+=3\n", "(1=2\n", "1=2"]),
    (JSON, ['{"a": [1, -2.5e3, "x\\u00e9"],"b":null}', "[]", "[\n  1]"], ["{", '{"a"}', "[1,]"]),
]

WRONG: list[tuple[str, str]] = [
    ("", 'there is no rule "root"'),
    ('start ::= "a"', 'there is no rule "root"'),
    ('root ::= "a"\n\nroot ::= "b"', "line 3: there is a rule 'root' already"),
    ("root ::= a\na ::= b", "line 2: there is no rule 'b'"),
    ('root ::= root "a" | "b"', "line 1: the rule 'root' begins with itself"),
    ('root ::= "x" a\n\na ::= b? a "c"\nb ::= "b"', "line 3: the rule 'a' begins with itself"),
    ('root ::= "a', 'line 1: " is not closed'),
    ("root ::= [a", r"line 1: \[ is not closed"),
    ('root ::= ("a"\n\n', "line 1: a parenthesis is not closed"),
    ('root ::= "a" )', "line 1: '\\)' can't stand here"),
    ('root = "a"', "line 1: there is '= \"a\"' where ::= should be"),
    ('root ::= "a"\n| "b"', "line 2: there is '| \"b\"' where the name of a rule should be"),
    ("root ::= *", r"line 1: nothing stands before \* that could be repeated"),
    ('root ::= "a"{x}', "is no number of repetitions"),
    ('root ::= "a"{3,2}', "ends before it begins"),
    ('root ::= "a"{9999}', "more than 2000 repetitions"),
    (r'root ::= "\q"', "there is no escape 'q'"),
    (r'root ::= "\x4"', "is no character"),
    (r'root ::= "\uD800"', "is no character"),
    ("root ::= [z-a]", "the range from 'z' to 'a' is empty"),
    ("root ::= <think>", "line 1: a token .'<think>'. is not supported"),
    ('root ::= "a" root', "GBNF: nothing fits it"),
    ("root ::= []", "GBNF: nothing fits it"),
    ("root ::= " + "(" * 200, "nested more than 100 deep"),
    ("root ::= ((.{1000}){1000}){1000}", "GBNF: it is too large"),
    ("root ::= a0\n" + "".join(f"a{i} ::= a{i + 1} a{i + 1}\n" for i in range(40)) + 'a40 ::= "x"', "it is too large"),
    ("root ::= a0\n" + "".join(f'a{i} ::= "x" a{i + 1}\n' for i in range(3000)) + 'a3000 ::= "x"', "nested too deeply"),
]


@pytest.mark.parametrize(("text", "matching", "others"), CASES, ids=[case[0].strip()[:30] for case in CASES])
def test_what_a_grammar_takes(text: str, matching: list[str], others: list[str]) -> None:
    grammar = gbnf(text)
    automaton = compile(grammar)
    for example in matching:
        assert naive.matches(grammar, example.encode()), example
        assert automaton.matches(example.encode()) or automaton.depth, example  # of what it has written out
    for example in others:
        assert not automaton.matches(example.encode()), example
    walker, chance = Walker(automaton), random.Random(text)
    for _ in range(20):
        found = walker.walk(chance, 60)
        assert naive.matches(grammar, found), found
        if text is JSON:
            json.loads(found)


@pytest.mark.parametrize(("text", "message"), WRONG, ids=[message[:40] for _, message in WRONG])
def test_mistakes_are_told_with_their_line(text: str, message: str) -> None:
    with pytest.raises(WgmlError, match=message) as caught:
        gbnf(text)
    assert str(caught.value).startswith("GBNF") and "\n" not in str(caught.value)


def test_where_bytes_do_not_tell_rules_are_written_out() -> None:
    """Up to a depth, and so far as there are not too many states."""
    automaton = compile(gbnf('root ::= "a" root "a" | "b"'))
    assert automaton.depth is None and automaton.matches(b"a" * 30 + b"b" + b"a" * 30)
    automaton = compile(gbnf('root ::= "a" root "a" | "a"'))
    assert automaton.depth and automaton.matches(b"aaa") and not automaton.matches(b"aa")
    # The least that fits nests as deep as that.
    automaton = compile(gbnf('root ::= a a\na ::= "x" b "x" | "x"\nb ::= "y" c\nc ::= "y" a "y" | "z" b'))
    assert automaton.matches(b"xx") and automaton.matches(b"xyyxyxx")


def test_tables_that_are_too_large() -> None:
    with pytest.raises(WgmlError, match="too much for a table"):
        compile(gbnf("root ::= [^x]{2000} [^y]{2000} [^z]{2000} [^a]{2000}"))
