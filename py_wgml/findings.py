"""What the page asks about documents that are longer than a context, and is told: types that protocol.py is made of."""

from typing import Literal, NotRequired, TypedDict


class GivenDocument(TypedDict):
    """A text with a name, in parts: the pages of a file that has some, else one."""

    name: str
    parts: list[str]
    vectors: NotRequired[str | None]
    """One for each passage, as bytes from -127 to 127 in base64; their lengths don't matter."""


class Cut(TypedDict):
    """Answered by Passages."""

    type: Literal["cut"]
    id: int
    document: GivenDocument


class Passages(TypedDict):
    """The reply to Cut: what there is to make vectors of."""

    type: Literal["passages"]
    id: int
    texts: list[str]


class Consult(TypedDict):
    """What of some documents answers a question. Answered by Consulted."""

    type: Literal["consult"]
    id: int
    question: str
    before: NotRequired[str]
    """The question before it, which it may go on from."""
    documents: list[GivenDocument]


class FoundPassage(TypedDict):
    """A passage that suits the question."""

    document: int
    """By its place among those that were given."""
    part: int
    line: int
    """Of its part, from 1."""
    heading: str
    """Under which it stands, or ""."""
    text: str


class Consulted(TypedDict):
    """The reply to Consult."""

    type: Literal["consulted"]
    id: int
    fits: bool
    """The documents are short enough to be given whole, and there are no passages here."""
    passages: list[FoundPassage]
