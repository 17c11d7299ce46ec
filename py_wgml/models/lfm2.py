"""LFM2 (Liquid AI, arXiv:2511.23404): most layers are short convolutions in place of attention, which has norms of
queries and keys. Dense or, but for the first layers, a mixture."""

from .config import Config
from .graph import A, Graph
from .parts import gated_mlp, logits, mixture, qkv

ARCHITECTURES = ("lfm2", "lfm2moe")


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    x = g.embed("token_embd")
    for layer in range(c.block_count):
        block = f"blk.{layer}"
        h = g.rms_norm(x, f"{block}.attn_norm")
        if c.is_convolution(layer):
            h = g.linear(h, f"{block}.shortconv.in_proj")
            h = g.short_conv(h, layer, f"{block}.shortconv.conv")
            x = g.add(x, g.linear(h, f"{block}.shortconv.out_proj"))
        else:
            h = g.attention(qkv(g, c, h, layer), c.attention(layer, c.rope("neox")))
            x = g.add(x, g.linear(h, f"{block}.attn_output"))
        h = g.rms_norm(x, f"{block}.ffn_norm")
        if c.has(f"{block}.ffn_gate_inp"):
            x = mixture(g, c, x, h, block, "silu", gating="sigmoid")
        else:
            x = g.add(x, gated_mlp(g, c, h, block, "silu"))
    # The name is that of another model's norm, but it is the last one here.
    return logits(g, c, g.rms_norm(x, "token_embd_norm", last=True))
