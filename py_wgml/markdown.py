"""Conversations as Markdown for notebooks, where nothing runs and nothing is fetched, whatever a model has written.

What is HTML becomes text: notebooks run scripts in outputs of cells that their reader has run. Pictures become links to
them, for showing one asks its server; links lead to http(s) addresses alone. Code comes as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from string import punctuation
from typing import Any

_FENCE = re.compile(r"([ \t]*)(`{3,}|~{3,})[ \t]*([\w+#.-]*)[^`\n]*")
_SPAN = re.compile(r"(?<!`)(`+)(?!`)((?:(?!\n[ \t]*\n).)+?)(?<!`)\1(?!`)", re.DOTALL)
_TAG = re.compile(r"\\?<(?=[A-Za-z/!?])")
_PICTURE = re.compile(r"!+(?=\[)")
_LINK = re.compile(r"\](?=\((?!\s*https?://)|:(?!\s*https?://))", re.IGNORECASE)
_ICON = re.compile(r":(?=:\w)")  # marimo fetches those that are named between such
_ENTITIES = {ord(mark): f"&#{ord(mark)};" for mark in punctuation}


def of_conversation(messages: Iterable[Mapping[str, Any]]) -> str:
    """Each message under the name of its role."""
    return "\n\n".join(f"**{harmless(str(m['role']).capitalize())}**\n\n{of_message(m)}" for m in messages)


def of_message(message: Mapping[str, Any], is_thinking: bool = False) -> str:
    """A message: its thoughts folded (unless they are all there is yet), its text, what it calls."""
    parts = []
    if thoughts := message.get("reasoning_content"):
        fold = "<details open>" if is_thinking else "<details>"
        parts += [f"{fold}<summary>Thoughts</summary>", harmless(str(thoughts)), "</details>"]
    content = message.get("content") or ""
    if not isinstance(content, str):
        content = "\n\n".join(str(part.get("text") or f"({part.get('type')})") for part in content)
    parts.append(harmless(content))
    for call in message.get("tool_calls") or ():
        parts += [f"calls {_inline(call['function']['name'])}", _block(str(call["function"]["arguments"]), "json")]
    return "\n\n".join(filter(None, parts))


def harmless(text: str) -> str:
    """Markdown that says the same and does nothing."""
    return "\n".join(_blocks(text.split("\n"))).strip("\n")


def _blocks(lines: Iterable[str]) -> Iterator[str]:
    """Prose, and blocks of code, written so that every renderer of Markdown takes them for just that."""
    prose: list[str] = []
    code: list[str] = []
    opened: re.Match[str] | None = None
    for line in lines:
        if opened:
            indent, fence, language = opened.groups()
            if re.fullmatch(rf"[ \t]*{fence[0]}{{{len(fence)},}}[ \t]*", line):
                yield _block("\n".join(code), language)
                opened, code = None, []
            else:
                code.append(re.sub(f"^[ \t]{{0,{len(indent)}}}", "", line))
        elif opened := _FENCE.fullmatch(line):
            yield _prose("\n".join(prose))
            prose = []
        else:
            prose.append(line)
    yield _block("\n".join(code), opened[3]) if opened else _prose("\n".join(prose))


def _block(code: str, language: str) -> str:
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", code)), default=0))
    return f"\n{fence}{language}\n{code}\n{fence}\n"


def _prose(text: str) -> str:
    done, end = [], 0
    for span in _SPAN.finditer(text):
        done += [_plain(text[end : span.start()]), _inline(span[2])]
        end = span.end()
    return "".join([*done, _plain(text[end:])])


def _inline(code: str) -> str:
    """Code within a line: with each mark written as its number, none of them means anything."""
    return f"<code>{' '.join(code.split()).translate(_ENTITIES)}</code>"


def _plain(text: str) -> str:
    return _ICON.sub("&#58;", _LINK.sub("&#93;", _PICTURE.sub("", _TAG.sub("&lt;", text))))
