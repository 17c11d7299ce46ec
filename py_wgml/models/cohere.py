"""Command R and Command R7B (Cohere, 2024): attention and feed-forward part side by side. Where there is a sliding
window, every fourth layer is without, and without rotations."""

from .config import NO_ROPE, Config
from .graph import A, Graph
from .layers import gated_mlp, logits, qkv

ARCHITECTURES = ("command-r", "cohere2")


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    x = g.embed("token_embd")
    for layer in range(c.block_count):
        prefix = f"blk.{layer}"
        local = c.is_local(layer, period=4)
        rope = c.rope("norm") if local or c.sliding_window is None else NO_ROPE
        h = g.layer_norm(x, f"{prefix}.attn_norm")
        how = c.attention(layer, rope, window=c.sliding_window if local else None)
        x = g.add(x, g.linear(g.attention(qkv(g, c, h, layer), how), f"{prefix}.attn_output"))
        x = g.add(x, gated_mlp(g, c, h, prefix, "silu"))
    return g.unary(logits(g, c, g.layer_norm(x, "output_norm", last=True)), "scale", c.logit_scale)
