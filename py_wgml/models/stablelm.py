"""StableLM (Stability AI, arXiv:2402.17834): Llama with LayerNorm and rotations of a part of each head; attention and
feed-forward part side by side where layers have a single norm."""

from .config import Config
from .graph import A, Graph
from .layers import gated_mlp, logits, qkv

ARCHITECTURES = ("stablelm",)


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    x = g.embed("token_embd")
    for layer in range(c.block_count):
        prefix = f"blk.{layer}"
        h = g.layer_norm(x, f"{prefix}.attn_norm")
        attended = g.attention(qkv(g, c, h, layer), c.attention(layer, c.rope("neox")))
        x = g.add(x, g.linear(attended, f"{prefix}.attn_output"))
        if c.has(f"{prefix}.ffn_norm"):
            h = g.layer_norm(x, f"{prefix}.ffn_norm")
        x = g.add(x, gated_mlp(g, c, h, prefix, "silu"))
    return logits(g, c, g.layer_norm(x, "output_norm", last=True))
