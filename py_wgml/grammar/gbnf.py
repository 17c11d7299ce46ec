"""GBNF, llama.cpp's notation of grammars, as grammars.

    root   ::= "answer: " number ("," " "? number)*    # a comment
    number ::= "-"? [0-9]{1,3}

A rule ends with its line, unless a parenthesis is open or `|` is its last word. `.` is any character; the first rule is
`root`, wherever it stands. Tokens (`<think>`, `<[1000]>`), which are of one vocabulary, are refused.
"""

from __future__ import annotations

import re

from ..errors import WgmlError, quoted
from .nodes import EMPTY, Choice, Grammar, Node, Range, Repeat, Rule, Sequence, characters, literal, others
from .sizes import MOST_REPEATED, trimmed

_NAME = re.compile(r"[A-Za-z0-9_-]+")
_COUNTS = re.compile(r"\{[ \t]*([0-9]{1,9})[ \t]*(?:(,)[ \t]*([0-9]{1,9})?[ \t]*)?\}")
_LINE_SPACE, _SPACE = re.compile(r"(?:[ \t]|#[^\r\n]*)*"), re.compile(r"(?:[ \t\r\n]|#[^\r\n]*)*")
_ESCAPES = {"t": "\t", "r": "\r", "n": "\n", **{char: char for char in '\\"[]-'}}
_DIGITS = {"x": 2, "u": 4, "U": 8}
_MOST_NESTED = 100


def gbnf(text: str) -> Grammar:
    """A grammar that is written in GBNF.

    Raises WgmlError, with the number of the line, for what is no GBNF, a rule that there is not, one that begins with
    itself, and where there is no `root` or nothing fits it.
    """
    return _Parser(text).grammar()


class _Parser:
    """A text, and how far it has been read."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._rules: dict[str, Node] = {}
        self._lines: dict[str, int] = {}  # of each rule
        self._uses: dict[str, int] = {}  # where each name is first used

    def grammar(self) -> Grammar:
        self._skip(_SPACE)
        while self._at < len(self._text):
            self._rule()
        if "root" not in self._rules:
            raise WgmlError('GBNF: there is no rule "root"')
        for name, place in self._uses.items():
            if name not in self._rules:
                raise self._wrong(f"there is no rule {quoted(name)}", place)
        self._refuse_left_recursion()
        return trimmed(Grammar(Rule("root"), self._rules), "GBNF")

    def _wrong(self, what: str, at: int | None = None) -> WgmlError:
        line = self._text.count("\n", 0, self._at if at is None else at) + 1
        return WgmlError(f"GBNF, line {line}: {what}")

    def _found(self) -> str:
        rest = self._text[self._at : self._at + 10].splitlines()
        return quoted(rest[0]) if rest and rest[0] else "the end of the line" if rest else "the end"

    def _skip(self, space: re.Pattern[str]) -> None:
        match = space.match(self._text, self._at)
        assert match
        self._at = match.end()

    def _is(self, words: str) -> bool:
        return self._text.startswith(words, self._at)

    def _take(self, words: str) -> bool:
        found = self._is(words)
        self._at += len(words) * found
        return found

    def _rule(self) -> None:
        start = self._at
        name = self._name()
        self._skip(_LINE_SPACE)
        if not self._take("::="):
            raise self._wrong(f"there is {self._found()} where ::= should be")
        if name in self._rules:
            raise self._wrong(f"there is a rule {quoted(name)} already", start)
        self._skip(_SPACE)
        self._rules[name], self._lines[name] = self._alternatives(0), start
        if self._at < len(self._text) and not self._take("\r\n") and not self._take("\n") and not self._take("\r"):
            raise self._wrong(f"{self._found()} can't stand here")
        self._skip(_SPACE)

    def _name(self) -> str:
        match = _NAME.match(self._text, self._at)
        if not match:
            raise self._wrong(f"there is {self._found()} where the name of a rule should be")
        self._at = match.end()
        return match[0]

    def _alternatives(self, depth: int) -> Node:
        if depth > _MOST_NESTED:
            raise self._wrong(f"parentheses are nested more than {_MOST_NESTED} deep")
        options = [self._sequence(depth)]
        while self._take("|"):
            self._skip(_SPACE)
            options.append(self._sequence(depth))
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _sequence(self, depth: int) -> Node:
        space = _SPACE if depth else _LINE_SPACE
        parts: list[Node] = []
        while self._at < len(self._text):
            letter = self._text[self._at]
            if letter in "*+?{":
                least, most = self._counts()
                if not parts:
                    raise self._wrong(f"nothing stands before {letter} that could be repeated")
                parts[-1] = Repeat(parts[-1], least, most)
            elif letter == '"':
                parts.append(self._literal())
            elif letter == "[":
                parts.append(self._class())
            elif letter == "(":
                parts.append(self._group(depth))
            elif letter == ".":
                self._at += 1
                parts.append(characters([(0, 0x10FFFF)]))
            elif letter in "<!":
                raise self._wrong(f"a token ({self._found()}) is not supported")
            elif _NAME.match(letter):
                self._uses.setdefault(name := self._name(), self._at)
                parts.append(Rule(name))
            else:
                break
            self._skip(space)
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _group(self, depth: int) -> Node:
        start, self._at = self._at, self._at + 1
        self._skip(_SPACE)
        inside = self._alternatives(depth + 1)
        if not self._take(")"):
            if self._at < len(self._text):
                raise self._wrong(f"{self._found()} can't stand here")
            raise self._wrong("a parenthesis is not closed", start)
        return inside

    def _counts(self) -> tuple[int, int | None]:
        """How often what stands before is repeated."""
        for letter, counts in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._take(letter):
                return counts
        match = _COUNTS.match(self._text, self._at)
        if not match:
            raise self._wrong(f"{self._found()} is no number of repetitions")
        least = int(match[1])
        most = int(match[3]) if match[3] else None if match[2] else least
        if max(least, most or 0) > MOST_REPEATED:
            raise self._wrong(f"{match[0]} is more than {MOST_REPEATED} repetitions")
        if most is not None and most < least:
            raise self._wrong(f"{match[0]} ends before it begins")
        self._at = match.end()
        return least, most

    def _literal(self) -> Node:
        start, self._at = self._at, self._at + 1
        found = ""
        while not self._take('"'):
            found += chr(self._character(start))
        return literal(found) if found else EMPTY

    def _class(self) -> Node:
        start, self._at = self._at, self._at + 1
        negated = self._take("^")
        ranges: list[Range] = []
        while not self._take("]"):
            low = high = self._character(start)
            if self._is("-") and not self._is("-]"):
                self._at += 1
                high = self._character(start)
            if high < low:
                raise self._wrong(f"the range from {quoted(chr(low))} to {quoted(chr(high))} is empty")
            ranges.append((low, high))
        return characters(others(ranges) if negated else ranges)

    def _character(self, start: int) -> int:
        """The next one of a literal or a class that began at `start`."""
        if self._at >= len(self._text):
            raise self._wrong(f"{self._text[start]} is not closed", start)
        letter, self._at = self._text[self._at], self._at + 1
        if letter != "\\":
            return ord(letter)
        letter, self._at = self._text[self._at : self._at + 1], self._at + 1
        if letter in _DIGITS:
            digits = self._text[self._at : self._at + _DIGITS[letter]]
            self._at += len(digits)
            if re.fullmatch(f"[0-9A-Fa-f]{{{_DIGITS[letter]}}}", digits):
                code = int(digits, 16)
                if code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF:
                    return code
            raise self._wrong(f"{quoted(letter + digits)} behind a backslash is no character")
        if letter not in _ESCAPES or not letter:
            raise self._wrong(f"there is no escape {quoted(letter)} behind a backslash")
        return ord(_ESCAPES[letter])

    def _refuse_left_recursion(self) -> None:
        """Raise WgmlError for a rule that may begin with itself."""
        empty: set[str] = set()
        while more := {name for name, node in self._rules.items() if name not in empty and _may_be_empty(node, empty)}:
            empty |= more
        begins = {name: _first(node, empty) for name, node in self._rules.items()}
        for name in begins:
            reached, waiting = set[str](), [*begins[name]]
            while waiting:
                if (other := waiting.pop()) not in reached:
                    reached.add(other)
                    waiting += begins[other]
            if name in reached:
                raise self._wrong(f"the rule {quoted(name)} begins with itself", self._lines[name])


def _may_be_empty(node: Node, empty: set[str]) -> bool:
    if isinstance(node, Sequence):
        return all(_may_be_empty(part, empty) for part in node.parts)
    if isinstance(node, Choice):
        return any(_may_be_empty(option, empty) for option in node.options)
    if isinstance(node, Repeat):
        return not node.least or _may_be_empty(node.node, empty)
    return isinstance(node, Rule) and node.name in empty


def _first(node: Node, empty: set[str]) -> set[str]:
    """The rules that what fits may begin with."""
    if isinstance(node, Sequence):
        found: set[str] = set()
        for part in node.parts:
            found |= _first(part, empty)
            if not _may_be_empty(part, empty):
                break
        return found
    if isinstance(node, Choice):
        return {name for option in node.options for name in _first(option, empty)}
    if isinstance(node, Repeat):
        return _first(node.node, empty)
    return {node.name} if isinstance(node, Rule) else set()
