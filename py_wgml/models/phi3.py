"""Phi-3 (Abdin et al., arXiv:2404.14219), Phi-4 and Phi-4-mini: Llama with wider tensors, a sliding window in all
layers or in none, and rotations stretched by two sets of factors (LongRoPE, Ding et al., arXiv:2402.13753)."""

from . import llama
from .config import Config
from .graph import A, Graph

ARCHITECTURES = ("phi3",)


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    return llama.decode(g, c, [c.rope("neox")] * c.block_count, window=c.sliding_window)
