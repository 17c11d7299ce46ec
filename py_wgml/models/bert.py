"""BERT (Devlin et al., arXiv:1810.04805) and what is built like it: RoBERTa, XLM-R, MiniLM, E5, BGE; with rotations,
dense (arXiv:2402.01613) or a mixture (arXiv:2502.07972), Nomic's; with ALiBi, Jina's second (arXiv:2310.19923)."""

from . import layers
from .config import NO_ROPE, Config, Mixture
from .graph import A, Graph

ARCHITECTURES = ("bert", "nomic-bert", "nomic-bert-moe", "jina-bert-v2")
ENCODERS = ARCHITECTURES

_ALIBI = 8.0


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> rows [T, width]."""
    rope = c.rope("neox") if c.architecture.startswith("nomic") else NO_ROPE
    alibi = _ALIBI if c.architecture == "jina-bert-v2" else None
    x = g.embed("token_embd")
    if c.has("token_types"):
        x = g.add_types(x, "token_types")
    if c.architecture == "bert":
        x = g.add_positions(x, "position_embd")
    x = g.layer_norm(x, "token_embd_norm")
    for layer in range(c.block_count):
        prefix = f"blk.{layer}"
        h = g.attention(layers.qkv(g, c, x, layer), c.attention(layer, rope, alibi=alibi))
        x = g.layer_norm(g.add(x, g.linear(h, f"{prefix}.attn_output")), f"{prefix}.attn_output_norm")
        x = g.layer_norm(g.add(x, _feed_forward(g, c, x, prefix)), f"{prefix}.layer_output_norm")
    return x


def _feed_forward(g: Graph[A], c: Config, x: A, prefix: str) -> A:
    if c.has(f"{prefix}.ffn_gate_inp"):
        return g.experts(x, Mixture(f"{prefix}.ffn", "gelu_erf", normalise=False, gated=False))
    if c.architecture == "nomic-bert":
        return layers.gated_mlp(g, c, x, prefix, "silu")
    if c.architecture == "jina-bert-v2":
        return layers.gated_mlp(g, c, x, prefix, "gelu_erf")
    return layers.mlp(g, x, prefix, "gelu_erf")
