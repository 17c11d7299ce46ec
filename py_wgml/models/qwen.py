"""Qwen2 (arXiv:2407.10671) and Qwen3 (arXiv:2505.09388), dense or a mixture, and EXAONE 3: Llama with the pairs of the
rotary embedding half a head apart; with biases (Qwen2) or norms (Qwen3) of queries and keys.

Those that see (`vl`) are the same without pictures: all parts of a text token's place are its position."""

from . import llama
from .config import Config
from .graph import A, Graph

ARCHITECTURES = ("qwen2", "qwen2moe", "qwen3", "qwen3moe", "qwen2vl", "qwen3vl", "qwen3vlmoe", "exaone")


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    ropes = [c.rope("neox")] * c.block_count
    return llama.decode(g, c, ropes, normalise=c.architecture != "qwen2moe")
