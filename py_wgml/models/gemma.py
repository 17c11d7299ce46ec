"""Gemma (arXiv:2403.08295): Llama with GeGLU and scaled embeddings."""

import math

from . import llama
from .config import Config
from .graph import A, Graph

ARCHITECTURES = ("gemma",)


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    ropes = [c.rope("neox")] * c.block_count
    return llama.decode(g, c, ropes, activation="gelu", embedding_scale=math.sqrt(c.embedding_length))
