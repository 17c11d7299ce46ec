"""Phi-1.5 and Phi-2 (Li et al., arXiv:2309.05463) and Falcon (arXiv:2311.16867): attention and feed-forward part side
by side, from a single norm."""

from .config import Config
from .graph import A, Graph
from .layers import logits, mlp, qkv

ARCHITECTURES = ("phi2", "falcon")


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    x = g.embed("token_embd")
    for layer in range(c.block_count):
        prefix = f"blk.{layer}"
        h = g.layer_norm(x, f"{prefix}.attn_norm")
        attended = g.attention(qkv(g, c, h, layer), c.attention(layer, c.rope("neox")))
        x = g.add(x, g.linear(attended, f"{prefix}.attn_output"))
        x = g.add(x, mlp(g, h, prefix, "gelu" if c.architecture == "phi2" else "gelu_erf"))
    return logits(g, c, g.layer_norm(x, "output_norm", last=True))
