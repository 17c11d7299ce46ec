"""GLM-4-0414: norms before and after each part of a layer, rotations of a part of each head."""

from .config import Config
from .graph import A, Graph
from .layers import gated_mlp, logits, qkv

ARCHITECTURES = ("glm4",)


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    x = g.embed("token_embd")
    for layer in range(c.block_count):
        prefix = f"blk.{layer}"
        h = qkv(g, c, g.rms_norm(x, f"{prefix}.attn_norm"), layer)
        h = g.linear(g.attention(h, c.attention(layer, c.rope("norm"))), f"{prefix}.attn_output")
        x = g.add(x, g.rms_norm(h, f"{prefix}.post_attention_norm"))
        h = gated_mlp(g, c, g.rms_norm(x, f"{prefix}.ffn_norm"), prefix, "silu")
        x = g.add(x, g.rms_norm(h, f"{prefix}.post_ffw_norm"))
    return logits(g, c, g.rms_norm(x, "output_norm", last=True))
