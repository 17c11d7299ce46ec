"""SmolLM3: Llama without a rotary embedding in every fourth layer (Yang et al., arXiv:2501.18795)."""

from . import llama
from .config import NO_ROPE, Config
from .graph import A, Graph

ARCHITECTURES = ("smollm3",)


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    return llama.decode(g, c, [NO_ROPE if layer % 4 == 3 else c.rope("norm") for layer in range(c.block_count)])
