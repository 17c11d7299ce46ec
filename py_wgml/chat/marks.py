"""The marks around what models think: one row a way of writing it, and which of them a model's file knows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Thinking:
    """How a family writes what it thinks before it answers."""

    opening: str
    closing: str
    answers: tuple[tuple[str, str], ...] = ()
    """Marks that may stand around the answer itself, behind the thoughts."""
    common: bool = True
    """Models are tuned to it whose files don't name it. Else it is looked for only where a file does."""


_XML = (("<answer>", "</answer>"), ("<response>", "</response>"), ("<output>", "</output>"))

THINKING = (
    # DeepSeek R1 and what is distilled from it, QwQ, Qwen 3, SmolLM 3, OLMo 3, GLM 4.5 and Z1, EXAONE 4, LFM 2.5,
    # Phi-4-reasoning, Nemotron, MiniMax, Falcon H1R, Magistral of 2506; with <answer> Hunyuan, with <response>
    # Granite 3.3 and ERNIE 4.5.
    Thinking("<think>", "</think>", _XML),
    Thinking("<thought>", "</thought>", _XML),  # EXAONE Deep
    Thinking("<Thought>", "</Thought>", (("<Output>", "</Output>"),)),  # Marco-o1
    Thinking("<thinking>", "</thinking>", _XML),  # Reflection, and others that copy Claude's way
    Thinking("<reasoning>", "</reasoning>", _XML),  # Reka Flash 3
    Thinking("<seed:think>", "</seed:think>"),  # Seed-OSS
    Thinking("<longcat_think>", "</longcat_think>"),  # LongCat
    Thinking("<mm:think>", "</mm:think>"),  # MiniMax M3
    Thinking("<think:opensource>", "</think:opensource>"),  # Hy3
    Thinking("[THINK]", "[/THINK]"),  # Magistral since 2507, Ministral 3
    Thinking("\u25c1think\u25b7", "\u25c1/think\u25b7"),  # Kimi-VL
    Thinking("<|inner_prefix|>", "<|inner_suffix|>"),  # Apertus
    Thinking("<|channel>thought", "<channel|>"),  # Gemma 4
    Thinking(  # Kimi K3
        "<|open|>think<|sep|>",
        "<|close|>think<|sep|>",
        (("<|open|>response<|sep|>", "<|close|>response<|sep|>"),),
        common=False,
    ),
    Thinking(  # OpenThinker, Sky-T1
        "<|begin_of_thought|>", "<|end_of_thought|>", (("<|begin_of_solution|>", "<|end_of_solution|>"),)
    ),
    Thinking(  # Command R7B and Command A
        "<|START_THINKING|>",
        "<|END_THINKING|>",
        (("<|START_RESPONSE|>", "<|END_RESPONSE|>"), ("<|START_TEXT|>", "<|END_TEXT|>")),
    ),
    Thinking("Here is my thought process:", "Here is my response:", common=False),  # Granite 3.2
    Thinking("Here's my thought process:", "Here's my response:", common=False),
    Thinking(  # Apriel
        "Here are my reasoning steps:", "[BEGIN FINAL RESPONSE]", (("", "[END FINAL RESPONSE]"),), common=False
    ),
)

HARMONY = ("<|start|>", "<|channel|>", "<|message|>", "<|constrain|>", "<|end|>", "<|call|>")
"""The marks of gpt-oss's format, harmony."""

# Control tokens with such a name are part of a call of a function: <|tool_call_start|>, [TOOL_CALLS], <|python_tag|>,
# <start_function_call>, <|START_ACTION|>, <|plugin|>, and what stands within: [ARGS], <arg_key>, <escape>, <|"|>.
_CALL = re.compile(
    r"tool|func|action|python|plugin|interpreter|invoke|param|dsml|(?<![a-z])args?(?![a-z])|call_|escape|<\|\"\|>",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Marks:
    """Which marks the answers of a model may have."""

    thinking: tuple[Thinking, ...]
    """Ways in which it may write what it thinks, those that its file names first."""
    own: frozenset[str]
    """Of the marks above, those that the file names."""
    is_harmony: bool
    shown: frozenset[int]
    """Control tokens that are part of what an answer says."""


def marks_of(template: str, prompts: Iterable[str], control: Mapping[str, int], special: Iterable[str]) -> Marks:
    """The marks of a model, from the source of its chat template and its vocabulary.

    prompts: what the template makes of conversations without thoughts or calls: control tokens in there part the turns,
    and the rest of those that the template writes are for what an answer says. control: ids of control tokens by text.
    special: all tokens that are more than text, user-defined ones included.
    """
    special = set(special)
    known = {mark for row in THINKING for mark in _marks(row) if mark in special or mark in template}
    own = tuple(row for row in THINKING if row.closing in known)
    is_harmony = special.issuperset(HARMONY[:3])
    written = "".join(mark for row in own for mark in _marks(row))
    parting = "".join(prompts) or template
    shown = {
        id
        for token, id in control.items()
        if token in written
        or _CALL.search(token)
        or (token in template and token not in parting)
        or (is_harmony and token in HARMONY)
    }
    common = (row for row in THINKING if row.common and row not in own)
    return Marks((*own, *common), frozenset(known), is_harmony, frozenset(shown))


def _marks(row: Thinking) -> tuple[str, ...]:
    return tuple(mark for mark in (row.opening, row.closing, *sum(row.answers, ())) if mark)
