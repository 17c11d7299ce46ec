"""What is told of a file, and of a GPU: parts of the messages of protocol.py."""

from typing import TypedDict


class Entry(TypedDict):
    """An entry of a file's metadata. Arrays as text: their length and their first elements."""

    key: str
    value: str | float | bool


class TensorFacts(TypedDict):
    """A tensor of a file."""

    name: str
    type: str
    shape: list[int]
    bytes: int


class TypeFacts(TypedDict):
    """All tensors of one type."""

    type: str
    tensors: int
    parameters: int
    bytes: int


class NamedTemplate(TypedDict):
    """A chat template for a special use, as tools."""

    name: str
    template: str


class Vocabulary(TypedDict):
    """A file's tokens."""

    model: str
    tokens: int


class FileFacts(TypedDict):
    """What a GGUF file says of itself."""

    version: int
    parameters: int
    bytes: int
    metadata: list[Entry]
    tensors: list[TensorFacts]
    types: list[TypeFacts]
    template: str
    templates: list[NamedTemplate]
    vocabulary: Vocabulary


class TrialFacts(TypedDict):
    """What was found out about a GPU: see generate/trial.py."""

    device: str
    version: str
    """The site's, when it was found out."""
    distrusted: dict[str, str]
    """What kernels are not made of there, and why."""
    tried: dict[str, float]
    """The error of each kind of kernel."""
    timed: dict[str, float]
    """Microseconds of a product, by what it multiplies."""


class AdapterFacts(TypedDict):
    """What a model runs on."""

    vendor: str
    architecture: str
    device: str
    description: str
    features: list[str]
    limits: dict[str, int]
    trial: TrialFacts
