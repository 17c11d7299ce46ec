"""From token ids to text: the `Runner` of a model on the GPU, and generations that stream pieces of text. From token
ids to vectors: the `Embedder`."""

from .constraint import Constraint, Fitted, TokenTexts
from .draft import Speculate
from .embedder import Embedder, TokenizedText
from .generation import Generation, Usage
from .parts import CallPiece, Part, Prompt, TokenProbability, arguments_of
from .runner import Runner
from .timing import ActivationBits
from .turns import READER

__all__ = [
    "READER",
    "ActivationBits",
    "CallPiece",
    "Constraint",
    "Embedder",
    "Fitted",
    "Generation",
    "Part",
    "Prompt",
    "Runner",
    "Speculate",
    "TokenProbability",
    "TokenTexts",
    "TokenizedText",
    "Usage",
    "arguments_of",
]
