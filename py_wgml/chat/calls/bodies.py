"""How models write one call, or a list of them. Which of the ways it is, is told by how it begins."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from ...values import read_json
from .reader import Ended, NoCall, Reader, Reading

_NAMES, _ARGUMENTS = ("name", "tool_name"), ("arguments", "parameters", "args", "input")
_IDS = ("id", "call_id", "tool_call_id")
_USUAL = ("name", "arguments", "parameters", "type", "function", "id")
# What stands between a name and its arguments: Mistral, DeepSeek, Kimi; what may stand around the arguments.
_CALL_ID, _ARGS = "[CALL_ID]", "[ARGS]"
_SEPARATORS = (_ARGS, "<\uff5ctool\u2581sep\uff5c>", "<|tool_call_argument_begin|>")
_QUOTES = ('<|"|>', "<escape>")
_CONSTANTS = {"True": "true", "False": "false", "None": "null", "true": "true", "false": "false", "null": "null"}
_FENCE = "```json"


def calls(reader: Reader, strict: bool = False) -> Reading[None]:
    """One call, or a list of them. strict: of functions that were given alone."""
    first = yield from reader.peek()
    if first == "[":
        yield from _list(reader, strict)
    else:
        yield from _call(reader, strict)


def _list(reader: Reader, strict: bool) -> Reading[None]:
    yield from reader.expect("[")
    while True:
        yield from reader.space()
        if (yield from reader.take("]")):
            break
        yield from _call(reader, strict)
        yield from reader.space()
        if not (yield from reader.take(",", "]")):
            raise NoCall
        reader.settled = reader.at
        if reader.text[reader.at - 1] == "]":
            break
    reader.settled = reader.at


def _call(reader: Reader, strict: bool) -> Reading[None]:
    first = yield from reader.peek()
    if first == "{":
        yield from _json(reader, strict)
    elif first == "<":
        yield from _tagged(reader, strict)
    else:
        yield from _named(reader, strict)
    reader.close()


def _begin(reader: Reader, name: str, strict: bool, id: str = "") -> None:
    if not name or (strict and name not in reader.known.names):
        raise NoCall
    reader.begin(name, id)


def _json(reader: Reader, strict: bool, outer_id: str = "") -> Reading[None]:
    """{"name": ..., "arguments": {...}}, with other names for these, in any order, perhaps as "function" of another."""
    yield from reader.expect("{")
    name, id, arguments = "", outer_id, ""
    has_begun = False
    while True:
        yield from reader.space()
        if (yield from reader.take("}")):
            break
        key = yield from reader.string()
        yield from reader.space()
        yield from reader.expect(":")
        yield from reader.space()
        first = yield from reader.peek()
        if strict and key not in _USUAL:
            raise NoCall
        if key in _NAMES or (key == "function" and first == '"'):
            name = yield from reader.string()
            if strict and name not in reader.known.names:
                raise NoCall
        elif key == "function" and first == "{" and not name:
            yield from _json(reader, strict, id)
            has_begun = True
        elif key in _ARGUMENTS and name and not has_begun:
            _begin(reader, name, strict, id)
            has_begun = True
            yield from _arguments(reader)
        else:
            held: list[str] = []
            yield from reader.value(held.append)
            if key in _ARGUMENTS:
                arguments = "".join(held)
            elif key in _IDS:
                id = "".join(held).strip('"')
        yield from reader.space()
        if not (yield from reader.take(",")):
            yield from _end(reader, has_begun)
            break
    if not has_begun:
        if strict and not arguments:
            raise NoCall
        _begin(reader, name, strict, id)
        reader.argue(_object(arguments))


def _end(reader: Reader, has_begun: bool) -> Reading[None]:
    """Past the brace; one that is missing behind the arguments is forgiven."""
    if not (yield from reader.take("}")) and not has_begun:
        raise NoCall


def _arguments(reader: Reader) -> Reading[None]:
    """An object as it comes; one that is written as a string is read first."""
    if (yield from reader.peek()) in ("{", "["):
        yield from reader.value(reader.argue)
        return
    held: list[str] = []
    try:
        yield from reader.value(held.append)
    except Ended:
        reader.argue("".join(held))
        raise
    reader.argue(_object("".join(held)))


def _object(text: str) -> str:
    """The JSON text of arguments that are given in some other form."""
    try:
        value = read_json(text or "{}", strict=False)
    except ValueError:
        return text
    if isinstance(value, str):
        return value or "{}"
    return "{}" if value is None else text or "{}"


class _Members:
    """Arguments that come one by one, as one JSON object."""

    def __init__(self, reader: Reader, name: str) -> None:
        self._reader, self._name = reader, name
        self._before = "{"

    def add(self, key: str) -> None:
        """A name; its value is argued next."""
        self._reader.argue(f"{self._before}{json.dumps(key, ensure_ascii=False)}: ")
        self._before = ", "

    def end(self) -> None:
        """There are no more."""
        self._reader.argue("{}" if self._before == "{" else "}")

    def text(self, key: str, marks: tuple[str, ...]) -> Reading[str]:
        """A value up to one of these marks: text where that is said, else JSON if it is that, else text."""
        reader = self._reader
        self.add(key)
        is_text = reader.known.is_text(self._name, key)
        if is_text:
            reader.argue('"')
            mark = yield from reader.until(marks, lambda piece: reader.argue(escaped(piece)))
            reader.argue('"')
            return mark
        held: list[str] = []
        try:
            mark = yield from reader.until(marks, held.append)
        except Ended:
            reader.argue('"' + escaped("".join(held)))
            raise
        reader.argue(_json_of("".join(held)))
        return mark


def _tagged(reader: Reader, strict: bool) -> Reading[None]:
    """<function=NAME> or <invoke name="NAME">: a JSON object or parameters follow."""
    opening = yield from reader.expect("<function=", '<function name="', '<invoke name="')
    kind = opening[1:].split("=")[0].split()[0]
    names: list[str] = []
    yield from reader.until(('">',) if opening.endswith('"') else (">",), names.append, 200)
    name = "".join(names).strip("\"' ")
    _begin(reader, name, strict)
    yield from reader.space()
    if (yield from reader.peek()) == "{":
        yield from reader.value(reader.argue)
    else:
        members = _Members(reader, name)
        while form := (yield from reader.take("<parameter=", '<parameter name="')):
            keys: list[str] = []
            yield from reader.until((">",), keys.append, 1000)
            key = re.match(r"[^\"\s]*", "".join(keys))
            line = yield from reader.take("\n") if form.endswith("=") else _nothing()
            closing = "</parameter>"
            yield from members.text(key[0] if key else "", (f"\n{closing}", closing) if line else (closing,))
            yield from reader.space()
        members.end()
    yield from reader.space()
    yield from reader.take(f"</{kind}>")


def _nothing() -> Reading[str]:
    return ""
    yield


def _named(reader: Reader, strict: bool) -> Reading[None]:
    """A name, and behind it arguments in one of many ways."""
    prefix = yield from reader.take("call:", "print(")
    name = yield from reader.name()
    id = ""
    is_python = (yield from reader.peek()) == "("
    yield from reader.space()
    if name == "function" and (yield from reader.take(_SEPARATORS[1])):  # DeepSeek V3 and R1
        name = yield from reader.name()
        yield from reader.space()
        yield from reader.expect(_FENCE)
        yield from reader.space()
        _begin(reader, name, strict)
        yield from reader.value(reader.argue)
        yield from reader.space()
        yield from reader.take("```")
        return
    if (yield from reader.take(_CALL_ID)):
        id = yield from reader.name()
    mark = yield from reader.take(*_SEPARATORS)
    if mark == _SEPARATORS[2]:  # Kimi: functions.NAME:NUMBER
        name, id = name.removeprefix("functions.").partition(":")[0], name
    yield from reader.space()
    first = yield from reader.peek()
    if prefix == "call:" and first == "{":
        _begin(reader, name, strict)
        yield from _pairs(reader, name, ":", "}")
    elif mark or first == "{":
        if first != "{":
            raise NoCall
        _begin(reader, name, strict, id)
        yield from reader.value(reader.argue)
    elif is_python:
        name = name.removesuffix(".call") if name.removesuffix(".call") in reader.known.names else name
        _begin(reader, name, strict)
        yield from _pairs(reader, name, "=", ")")
        if prefix == "print(":
            yield from reader.take(")")
    else:
        yield from _keyed(reader, name, strict)


def _keyed(reader: Reader, name: str, strict: bool) -> Reading[None]:
    """GLM: <arg_key>KEY</arg_key><arg_value>VALUE</arg_value>, or nothing before the call's end."""
    opening = "<arg_key>"
    if not (yield from reader.take(opening)):
        if not (yield from reader.peek(12)).startswith("</tool_call>"):
            raise NoCall
        _begin(reader, name, strict)
        reader.argue("{}")
        return
    _begin(reader, name, strict)
    members = _Members(reader, name)
    while opening:
        keys: list[str] = []
        yield from reader.until(("</arg_key>",), keys.append, 1000)
        yield from reader.space()
        yield from reader.expect("<arg_value>")
        yield from members.text("".join(keys).strip(), ("</arg_value>",))
        yield from reader.space()
        opening = yield from reader.take("<arg_key>")
    members.end()


def _pairs(reader: Reader, name: str, between: str, closing: str) -> Reading[None]:
    """(KEY=VALUE, ...) of Python, or {KEY:VALUE,...} of Gemma, from the bracket on."""
    reader.at += 1
    members = _Members(reader, name)
    while True:
        yield from reader.space()
        if (yield from reader.take(closing)):
            break
        key = yield from _key(reader, between)
        members.add(key)
        yield from reader.space()
        yield from _literal(reader, reader.argue)
        yield from reader.space()
        if (yield from reader.expect(",", closing)) == closing:
            break
    members.end()


def _key(reader: Reader, between: str) -> Reading[str]:
    keys: list[str] = []
    if quote := (yield from reader.take('"', "'", *_QUOTES)):
        yield from reader.until((quote,), keys.append, 1000)
        yield from reader.space()
        yield from reader.expect(between)
    else:
        yield from reader.until((between,), keys.append, 1000)
    return "".join(keys).strip()


def _literal(reader: Reader, each: Callable[[str], None], depth: int = 0) -> Reading[None]:
    """A value as Python or Gemma writes it, handed on in JSON."""
    if depth > 50:
        raise NoCall
    opening = yield from reader.take("[", "(", "{", '"""', "'''", '"', "'", *_QUOTES)
    if opening in ("[", "("):
        yield from _items(reader, each, "]" if opening == "[" else ")", depth)
    elif opening == "{":
        yield from _members(reader, each, depth)
    elif opening:
        each('"')
        if opening in _QUOTES:
            yield from reader.until((opening,), lambda piece: each(escaped(piece)))
        else:
            yield from _quoted(reader, opening, each)
        each('"')
    else:
        held: list[str] = []
        while (ahead := (yield from reader.peek())) and ahead not in ",)]}":
            held.append(ahead)
            reader.at += 1
        word = "".join(held).strip()
        if not word:
            raise NoCall
        each(_CONSTANTS.get(word) or _json_of(word))


def _items(reader: Reader, each: Callable[[str], None], closing: str, depth: int) -> Reading[None]:
    each("[")
    before = ""
    while True:
        yield from reader.space()
        if (yield from reader.take(closing)):
            break
        each(before)
        before = ", "
        yield from _literal(reader, each, depth + 1)
        yield from reader.space()
        if (yield from reader.expect(",", closing)) == closing:
            break
    each("]")


def _members(reader: Reader, each: Callable[[str], None], depth: int) -> Reading[None]:
    each("{")
    before = ""
    while True:
        yield from reader.space()
        if (yield from reader.take("}")):
            break
        key = yield from _key(reader, ":")
        each(f"{before}{json.dumps(key, ensure_ascii=False)}: ")
        before = ", "
        yield from reader.space()
        yield from _literal(reader, each, depth + 1)
        yield from reader.space()
        if (yield from reader.expect(",", "}")) == "}":
            break
    each("}")


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "\n": ""}
_CODES = {"x": 2, "u": 4, "U": 8}


def _quoted(reader: Reader, quote: str, each: Callable[[str], None]) -> Reading[None]:
    """The rest of a string of Python's, with its closing quote."""
    high = ""  # half of a character that JSON writes as two
    while True:
        mark = yield from reader.until((quote, "\\"), lambda piece: each(escaped(piece)))
        if mark == quote:
            return
        letter = yield from reader.peek()
        if not letter:
            raise Ended
        reader.at += 1
        if size := _CODES.get(letter):
            code = yield from reader.peek(size)
            reader.at += len(code)
            try:
                character = chr(int(code, 16))
            except (ValueError, OverflowError):
                character = f"\\{letter}{code}"
        else:
            character = _ESCAPES.get(letter, letter)
        if "\ud800" <= character <= "\udbff":
            high = character
            continue
        character = (high + character).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        high = ""
        each(escaped(character))


def escaped(text: str) -> str:
    """Text as it stands within a string of JSON."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _json_of(text: str) -> str:
    """A value's text in JSON, which it may be in already."""
    word = text.strip()
    if word in _CONSTANTS:
        return _CONSTANTS[word]
    try:
        value: Any = read_json(word, parse_constant=_refuse)
    except ValueError:
        return json.dumps(text, ensure_ascii=False)
    return word if not isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _refuse(constant: str) -> None:
    raise ValueError(constant)
