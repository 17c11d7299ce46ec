"""OLMoE (arXiv:2409.02060): a mixture of many small experts, with norms of all queries and of all keys of a token."""

from . import llama
from .config import Config
from .graph import A, Graph

ARCHITECTURES = ("olmoe",)


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    return llama.decode(g, c, [c.rope("neox")] * c.block_count, whole_norm=True, normalise=False)
