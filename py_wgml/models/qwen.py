"""Qwen2 (arXiv:2407.10671) and Qwen3 (arXiv:2505.09388), dense or a mixture, EXAONE 3 and Seed-OSS: Llama with the
pairs of the rotary embedding half a head apart; with biases (Qwen2, Seed-OSS) or norms (Qwen3) of queries and keys.

Those that see (`vl`) are the same without pictures: all parts of a text token's place are its position."""

from . import llama
from .config import Config
from .graph import A, Graph

ARCHITECTURES = (
    "qwen2", "qwen2moe", "qwen3", "qwen3moe", "qwen2vl", "qwen3vl", "qwen3vlmoe", "paddleocr", "exaone", "seed_oss",
)  # fmt: skip


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    ropes = [c.rope("neox")] * c.block_count
    ffn_norm = "post_attention_norm" if c.architecture == "seed_oss" else "ffn_norm"
    return llama.decode(g, c, ropes, normalise=c.architecture != "qwen2moe", ffn_norm=ffn_norm)
