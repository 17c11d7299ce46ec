"""A conversation that was read, as the model's chat template takes it.

What a template takes as it is, stays as it is. Else questions without an answer become one with the next, what the
system says goes to the user's next words, calls and results are written as the template wants them or, where it knows
of none, as text. The beginning of what is made does not change as the conversation grows: what was processed of it
stays good.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from itertools import pairwise

from ..errors import WgmlError, quoted
from .capabilities import CALLS, PARALLEL, REASONED, SPOKEN, THOUGHTS, CallStyle, Capabilities
from .conversation import ROLES, Message, is_blank, leading, text_of

_BETWEEN = "\n\n"
"""Between texts that become one."""
_NO_ANSWER = "…"
"""Stands for an answer that never came, where results of functions must have one."""
_SHORT_ID = 9


def checked(messages: Sequence[Message], can: Capabilities) -> list[Message]:
    """The messages, with results in the order of their calls, which is all by which some templates tell them apart.

    Raises WgmlError, which numbers the message, for a role that the template does not know, and for calls and results
    that don't belong together. So it comes before all that moves messages.
    """
    for i, message in enumerate(messages):
        if message["role"] not in ROLES and not can.names(message["role"]):
            raise WgmlError(f"messages[{i}] has the role {quoted(message['role'])}; there are {', '.join(ROLES)}")
    return _matched(messages)


def fitted(messages: Sequence[Message], can: Capabilities) -> list[Message]:
    """A conversation that was checked, as the template takes it."""
    turns = [message for message in messages if not _is_unanswered(message, can)]
    turns = _with_system(turns, can)
    if any(message["role"] == "tool" or message.get("tool_calls") for message in turns):
        turns = _with_calls(turns, can)
    return [_with_form(message, can) for message in _joined(turns, can)]


def opened(messages: Sequence[Message], can: Capabilities) -> list[Message]:
    """The messages with words of the user's in front, empty ones, where the template does not begin without."""
    first = leading(messages)
    begins = [message["role"] for message in messages[first : first + 1]]
    if "user" in begins or can.takes(*["system"] * min(first, 1), *begins, *["user"] * len(begins)):
        return list(messages)
    return [*messages[:first], {"role": "user", "content": ""}, *messages[first:]]


def _is_unanswered(message: Message, can: Capabilities) -> bool:
    """Whether a message of the assistant's is no answer: stopped before its first word."""
    if message["role"] != "assistant" or not is_blank(message):
        return False
    return not message.get("reasoning_content") or not can.takes("user", THOUGHTS, "user")


def _matched(messages: Sequence[Message]) -> list[Message]:
    turns = list(messages)
    for i, message in enumerate(messages):
        calls = message.get("tool_calls")
        if not calls or i + 1 == len(messages):
            continue
        end = next((j for j in range(i + 1, len(messages)) if messages[j]["role"] != "tool"), len(messages))
        if end == i + 1:
            raise WgmlError(f"after the tool_calls of messages[{i}] their results must come, with the role tool")
        turns[i + 1 : end] = _in_order(i, calls, messages[i + 1 : end])
    return turns


def _in_order(i: int, calls: Sequence[Message], results: Sequence[Message]) -> Sequence[Message]:
    ids = [call.get("id") for call in calls]
    answered = [result.get("tool_call_id") for result in results]
    if None in ids or None in answered:
        if len(results) < len(calls):
            raise WgmlError(f"messages[{i}] makes {len(calls)} calls, but {len(results)} results follow")
        return results
    places = {id: place for place, id in reversed(list(enumerate(ids)))}
    for number, id in enumerate(answered, i + 1):
        if id not in places:
            raise WgmlError(f"messages[{number}] answers the call {quoted(str(id))}, which messages[{i}] does not make")
    if missing := Counter(ids) - Counter(answered):
        raise WgmlError(f"the call {quoted(str(next(iter(missing))))} of messages[{i}] has no result")
    return sorted(results, key=lambda result: places[result["tool_call_id"]])


def _with_calls(messages: Sequence[Message], can: Capabilities) -> list[Message]:
    """The messages with calls and results as the template takes them."""
    style, has_results = can.calls, can.results
    turns: list[Message] = []
    pending: dict[str, list[Message]] = {}  # calls whose results come now, by id
    for message in messages:
        if message["role"] != "tool":
            bridges = turns and turns[-1]["role"] == "tool" and message["role"] == "user" and style
            if bridges and not can.takes("user", CALLS, "tool", "user"):
                turns.append({"role": "assistant", "content": _NO_ANSWER})
            spoken = REASONED if message.get("reasoning_content") else SPOKEN
            is_split = message.get("tool_calls") and style and text_of(message)
            # Some templates leave the words out once there is an answer.
            if is_split and not can.takes("user", spoken, "tool", "assistant", "user"):
                turns.append({key: value for key, value in message.items() if key != "tool_calls"})
                message = {"role": "assistant", "content": "", "tool_calls": message["tool_calls"]}
            made = [{"id": f"call {len(turns)} {n}"} | call for n, call in enumerate(message.get("tool_calls", []))]
            pending = {}
            for call in made:
                pending.setdefault(call["id"], []).append(call)
            turns.append(_calling(message, made, style))
            continue
        id = message.get("tool_call_id")
        if id not in pending:
            id = next(iter(pending), None)
        call = pending[id].pop(0) if id is not None else None
        if id is not None and not pending[id]:
            del pending[id]
        turns.append(_resulting(message, call, style) if has_results else _told(message, call))
    if style and has_results and not can.takes("user", PARALLEL, "tool", "tool"):
        return _one_by_one(turns)
    return turns


def _calling(message: Message, calls: Sequence[Message], style: CallStyle | None) -> Message:
    if not calls:
        return message
    if style is None:
        texts = [text_of(message), *(_call_told(call["function"]) for call in calls)]
        kept = {key: value for key, value in message.items() if key != "tool_calls"}
        return kept | {"content": "\n".join(filter(None, texts))}
    made = []
    for call, given in zip(calls, message["tool_calls"], strict=True):
        function = given["function"]
        if style.json_arguments:
            function = function | {"arguments": json.dumps(function["arguments"], ensure_ascii=False)}
        made.append(given | {"function": function} | ({"id": _short(call["id"])} if style.short_ids else {}))
    content = message["content"] or (None if style.null_content else message["content"])
    return message | {"content": content, "tool_calls": made}


def _resulting(message: Message, call: Message | None, style: CallStyle | None) -> Message:
    added: Message = {}
    if style and style.short_ids:
        added["tool_call_id"] = _short(call["id"] if call else message.get("tool_call_id", ""))
    if style and style.named_results and call:
        added["name"] = call["function"]["name"]
    return message | added


def _call_told(function: Message) -> str:
    """A call in the assistant's words."""
    told = {key: function[key] for key in ("name", "arguments") if function[key]}
    return json.dumps(told, ensure_ascii=False)


def _told(message: Message, call: Message | None) -> Message:
    """A result in the user's words."""
    name = message.get("name") or (call["function"]["name"] if call else None)
    result = ({"name": name} if name else {}) | {"content": text_of(message)}
    return {"role": "user", "content": json.dumps({"tool_response": result}, ensure_ascii=False)}


def _short(id: str) -> str:
    is_short = len(id) == _SHORT_ID and id.isascii() and id.isalnum()
    return id if is_short else sha256(id.encode(errors="surrogatepass")).hexdigest()[:_SHORT_ID]


def _one_by_one(messages: Sequence[Message]) -> list[Message]:
    """The messages with each call and its result by themselves, for models that make one call at a time."""
    turns: list[Message] = []
    index = 0
    while index < len(messages):
        message = messages[index]
        calls = message.get("tool_calls") or []
        results = messages[index + 1 : index + 1 + len(calls)]
        index += 1
        if len(calls) < 2 or len(results) < len(calls) or any(result["role"] != "tool" for result in results):
            turns.append(message)
            continue
        index += len(calls)
        rest = {"role": "assistant", "content": None if message["content"] is None else ""}
        for n, (call, result) in enumerate(zip(calls, results, strict=True)):
            turns += [(rest if n else message) | {"tool_calls": [call]}, result]
    return turns


def _with_system(messages: Sequence[Message], can: Capabilities) -> list[Message]:
    """The messages with what the system says where the template takes it: anywhere, first and once, or in a
    question."""
    count = leading(messages)
    turns = list(messages)
    if count > 1 or any(message["role"] == "system" for message in messages[count:]):
        others = [message["role"] for message in turns if message["role"] != "system"]
        alternate = all(one != other for one, other in pairwise(others) if "tool" not in (one, other))
        anywhere = can.takes("system", "system", "user", "assistant", "system", "user")
        if anywhere and (alternate or can.takes("user", "system", "user")):
            return turns
        first = [_one_of(messages[:count], "system")] if count else []
        count = len(first)
        turns = first + [m | {"role": "user"} if m["role"] == "system" else m for m in messages[leading(messages) :]]
    is_followed = count and len(turns) > 1 and turns[1]["role"] == "user"
    if is_followed and not can.takes("system", "user"):
        return [_one_of(turns[:2], "user"), *turns[2:]]
    return turns


def _joined(messages: Sequence[Message], can: Capabilities) -> list[Message]:
    """The messages as turns that alternate, where the template wants that."""
    turns: list[list[Message]] = []  # each of what becomes one
    for message in messages:
        role = message["role"]
        around = {"user": ("user", "user"), "assistant": ("user", "assistant", "assistant", "user")}.get(role)
        follows = around and turns and turns[-1][-1]["role"] == role and not turns[-1][-1].get("tool_calls")
        if not around or not follows or can.takes(*around):
            turns.append([message])
        elif not message.get("tool_calls") or can.takes("user", SPOKEN, "tool"):
            turns[-1].append(message)
        else:
            is_taken = can.takes("user", "assistant", CALLS, "tool", "assistant", "user")
            turns += [[message]] if is_taken else [[{"role": "user", "content": ""}], [message]]
    return [_one_of(turn, turn[0]["role"]) if len(turn) > 1 else turn[0] for turn in turns]


def _one_of(messages: Sequence[Message], role: str) -> Message:
    """Several messages as one."""
    joined: Message = {}
    for message in messages:
        joined |= message
    texts = list(filter(None, map(text_of, messages)))
    thoughts = [message["reasoning_content"] for message in messages if message.get("reasoning_content")]
    joined |= {"role": role, "content": _BETWEEN.join(texts)}
    return joined | ({"reasoning_content": _BETWEEN.join(thoughts)} if thoughts else {})


def _with_form(message: Message, can: Capabilities) -> Message:
    """The message with content as text or in parts, as the template takes it."""
    role, content = message["role"], message["content"]
    if not content:
        return message
    if isinstance(content, str):
        if can.takes_text(role) or not can.takes_parts(role):
            return message
        return message | {"content": [{"type": "text", "text": content}]}
    return message if can.takes_parts(role) else message | {"content": text_of(message)}
