"""Qwen2 (arXiv:2407.10671), Qwen3, dense or a mixture (arXiv:2505.09388), and EXAONE 3: Llama with the pairs of the
rotary embedding half a head apart; with biases (Qwen2) or norms (Qwen3) of queries and keys."""

from . import llama
from .config import Config
from .graph import A, Graph

ARCHITECTURES = ("qwen2", "qwen3", "qwen3moe", "exaone")


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    return llama.decode(g, c, [c.rope("neox")] * c.block_count)
