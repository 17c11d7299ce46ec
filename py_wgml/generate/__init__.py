"""From token ids to text: the `Runner` of a model on the GPU, and generations that stream pieces of text."""

from .generation import Generation, Usage
from .parts import Part, Prompt
from .runner import ActivationBits, Runner

__all__ = ["ActivationBits", "Generation", "Part", "Prompt", "Runner", "Usage"]
