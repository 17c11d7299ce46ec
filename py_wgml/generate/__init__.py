"""From token ids to text: the engine that runs a model on the GPU, and generations that stream pieces of text."""

from .engine import ActivationBits, Engine
from .generation import Generation, Usage
from .parts import Part, Prompt

__all__ = ["ActivationBits", "Engine", "Generation", "Part", "Prompt", "Usage"]
