"""What the page asks to look inside a model, and is told: types that protocol.py is made of."""

from typing import Literal, NotRequired, TypedDict

from .requests import ChatMessage, TemplateOptions


class Likely(TypedDict):
    """A token that might come."""

    text: str
    logprob: float
    """The natural logarithm of its probability, before any sampling."""


class SeenToken(TypedDict):
    """A token of an answer."""

    text: str
    """Empty for a part of a character that a later token completes."""
    logprob: float
    likeliest: list[Likely]
    """Those that were likeliest in its place, the likeliest first."""


class Attending(TypedDict):
    """A layer that has heads of attention."""

    layer: int
    heads: int


class OfAnswer(TypedDict):
    """What all questions about an answer have."""

    id: int
    messages: list[ChatMessage]
    """Up to the answer, which is the last one."""
    options: TemplateOptions
    drop_oldest: NotRequired[bool]
    """As the answer was asked for."""


class Inspect(OfAnswer):
    """Answered by Inspected."""

    type: Literal["inspect"]


class Inspected(TypedDict):
    """The reply to Inspect."""

    type: Literal["inspected"]
    id: int
    prompt: list[str]
    """The texts of the tokens before the answer."""
    answer: list[SeenToken]
    next: list[Likely]
    """What would be likeliest to come after it."""
    attending: list[Attending]


class Attend(OfAnswer):
    """Where the model looked when it chose a token of its answer. Answered by Attended."""

    type: Literal["attend"]
    token: int
    """Of the answer, from 0 on."""
    layer: int
    head: int | None
    """null: the mean of all."""


class Attended(TypedDict):
    """The reply to Attend."""

    type: Literal["attended"]
    id: int
    weights: list[float]
    """One for each token before the chosen one, prompt and answer; their sum is 1, or less where heads have sinks."""


class Spell(OfAnswer):
    """Answered by Spelled."""

    type: Literal["spell"]


class Spelled(TypedDict):
    """The reply to Spell: the tokens of the prompt, as the template wrote it, and of the answer behind it."""

    type: Literal["spelled"]
    id: int
    ids: list[int]
    data: bytes
    """What the tokens stand for, one behind the other; special ones for what they are called."""
    lengths: list[int]
    """Of each, in bytes."""
    special: list[int]
    """Which of the tokens are, from 0 on."""
    answer: int
    """With which of them the answer begins."""


class Profile(TypedDict):
    """What the time of a token goes to. Answered by Profiled."""

    type: Literal["profile"]
    id: int


class DispatchTime(TypedDict):
    """Dispatches of a token that are alike."""

    kernel: str
    workgroups: list[int]
    count: int
    seconds: float
    """Of all of them together."""


class Profiled(TypedDict):
    """The reply to Profile."""

    type: Literal["profiled"]
    id: int
    dispatches: list[DispatchTime]
    reason: str | None
    """Why there are none."""


class Rewrite(TypedDict):
    """The Python of the model, as it is. Answered by Rewritten."""

    type: Literal["rewrite"]
    id: int
    text: NotRequired[str | None]
    """What is to run instead: the visitor's own, and nothing else; null: the family's own again."""


class Rewritten(TypedDict):
    """The reply to Rewrite."""

    type: Literal["rewritten"]
    id: int
    file: str
    """What the file of the model's family is called."""
    text: str
    """What runs now."""
    original: str
    problem: str | None
    """Why it is not what was sent, as Python shows it."""
