"""How a template is told whether the model is to think before it answers, and how much: one row a way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from .conversation import BETWEEN_PARTS, Message, leading, text_of

VARIABLE = "enable_thinking"
"""The name by which callers tell any template: true or false."""
Thinking = Literal["on", "off", "free", "fixed"]
"""Whether a model thinks where nobody tells it: "free" if it decides by itself, "fixed" if it can't be told."""
EFFORT = "reasoning_effort"
"""The name by which callers tell any template how much the model is to think: one of LEVELS."""
LEVELS = ("low", "medium", "high")


@dataclass(frozen=True)
class Switch:
    """One way: what a variable of the template's is for yes and for no, or a word that the system says."""

    variable: str | None
    on: Any
    off: Any

    def told(
        self, thinks: bool, messages: Sequence[Message], variables: Mapping[str, Any]
    ) -> tuple[list[Message], dict[str, Any]]:
        """The conversation and the variables with the switch as it is to be; what a caller has set stays."""
        value = self.on if thinks else self.off
        if self.variable is not None:
            return list(messages), {self.variable: value} | dict(variables)
        first = leading(messages)
        last = messages[first - 1] if first else {"role": "system", "content": ""}
        said = BETWEEN_PARTS.join(filter(None, (text_of(last), value)))
        return [*messages[: max(0, first - 1)], last | {"content": said}, *messages[first:]], dict(variables)


SWITCHES = (
    Switch(VARIABLE, True, False),  # Qwen 3 and 3.5, Gemma 4, GLM, SmolLM3, Nemotron 3, Hunyuan, Apertus, Bielik, Ling
    Switch("thinking", True, False),  # Granite 3.3, DeepSeek V3.1 and later, Kimi K3
    Switch("thinking_mode", "enabled", "disabled"),  # MiniMax M3
    Switch("thinking_budget", -1, 0),  # Seed-OSS
    Switch("reasoning", True, False),  # Command A of 2026
    Switch("reasoning_effort", "high", "no_think"),  # Hy3
    Switch(None, "/think", "/no_think"),  # Nemotron Nano v2
)


def switch_of(
    source: str, question: Message, write: Callable[[Sequence[Message], Mapping[str, Any]], str | None]
) -> tuple[Switch | None, Thinking]:
    """The switch of a template, by its source and by what it makes of `question` with each in both positions.

    write: the text of a conversation with these variables; None where the template makes none.
    """
    for switch in SWITCHES:
        named = [switch.variable] if switch.variable else []
        named += [word for word in (switch.on, switch.off) if isinstance(word, str)]
        if not all(name in source for name in named):
            continue
        on, off = (write(*switch.told(thinks, [question], {})) for thinks in (True, False))
        if on is not None and off is not None and on != off:
            plain = write([question], {})
            return switch, "on" if plain == on else "off" if plain == off else "free"
    return None, "fixed"


@dataclass(frozen=True)
class Effort:
    """How much a model thinks, as far as its template can be told."""

    variable: str = EFFORT
    values: tuple[Any, ...] = LEVELS
    """What the variable is for each of LEVELS."""
    levels: tuple[str, ...] = ()
    """Those that the template tells apart; none: it can't be told."""
    default: str = ""
    """Which of them it takes where nobody tells it; empty: none of them."""

    def told(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The variables with the level that they name in the template's own words; what a caller has set stays."""
        level = variables.get(EFFORT)
        if level not in self.levels:
            return dict(variables)
        return {self.variable: self.values[LEVELS.index(level)]} | dict(variables)


EFFORTS = (
    Effort(),  # gpt-oss, Hy3, Mistral Small 4
    Effort("thinking_budget", (512, 2048, 8192)),  # Seed-OSS, in tokens
)


def effort_of(
    source: str,
    question: Message,
    write: Callable[[Sequence[Message], Mapping[str, Any]], str | None],
    switch: Switch | None,
) -> Effort:
    """What a template can be told of effort, found out as by `switch_of`; its `switch` is on meanwhile."""
    for row in EFFORTS:
        if row.variable not in source:
            continue
        found: dict[str, str] = {}
        for level, value in zip(LEVELS, row.values, strict=True):
            messages, variables = [question], {row.variable: value}
            text = write(*(switch.told(True, messages, variables) if switch else (messages, variables)))
            if text is not None and text not in found.values():
                found[level] = text
        if len(found) > 1:
            plain = write([question], {})
            default = next((level for level, text in found.items() if text == plain), "")
            return replace(row, levels=tuple(found), default=default)
    return Effort()
