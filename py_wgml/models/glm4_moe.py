"""GLM-4.5 and 4.6 (arXiv:2508.06471) and dots.llm1 (arXiv:2506.05767): mixtures with sigmoid gates, a bias to choose by
and an expert that all tokens share, after dense layers; the pairs of the rotary embedding half its width apart."""

from . import llama
from .config import Config
from .graph import A, Graph

ARCHITECTURES = ("glm4moe", "dots1")


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    ropes = [c.rope("neox")] * c.block_count
    ffn_norm = "post_attention_norm" if c.architecture == "glm4moe" else "ffn_norm"
    return llama.decode(g, c, ropes, normalise=c.expert_weights_norm, gating="sigmoid", ffn_norm=ffn_norm)
