"""From token ids to text: the `Runner` of a model on the GPU, and generations that stream pieces of text. From token
ids to vectors: the `Embedder`."""

from .constraint import Constraint, TokenTexts
from .draft import Speculate
from .embedder import Embedder, TokenizedText
from .generation import Generation, Usage
from .parts import CallPiece, Part, Prompt, arguments_of
from .runner import Runner
from .timing import ActivationBits

__all__ = [
    "ActivationBits",
    "CallPiece",
    "Constraint",
    "Embedder",
    "Generation",
    "Part",
    "Prompt",
    "Runner",
    "Speculate",
    "TokenTexts",
    "TokenizedText",
    "Usage",
    "arguments_of",
]
