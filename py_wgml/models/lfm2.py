"""LFM2 (Liquid AI, arXiv:2511.23404): most layers are short convolutions in place of attention, which has norms of
queries and keys. Dense or, but for the first layers, a mixture."""

from .config import Config
from .graph import A, Graph
from .layers import gated_mlp, logits, mixture, qkv

ARCHITECTURES = ("lfm2", "lfm2moe")


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    x = g.embed("token_embd")
    for layer in range(c.block_count):
        prefix = f"blk.{layer}"
        h = g.rms_norm(x, f"{prefix}.attn_norm")
        if c.is_convolution(layer):
            h = g.linear(h, f"{prefix}.shortconv.in_proj")
            h = g.short_conv(h, layer, f"{prefix}.shortconv.conv")
            x = g.add(x, g.linear(h, f"{prefix}.shortconv.out_proj"))
        else:
            h = g.attention(qkv(g, c, h, layer), c.attention(layer, c.rope("neox")))
            x = g.add(x, g.linear(h, f"{prefix}.attn_output"))
        h = g.rms_norm(x, f"{prefix}.ffn_norm")
        if c.has(f"{prefix}.ffn_gate_inp"):
            x = mixture(g, c, x, h, prefix, "silu", gating="sigmoid")
        else:
            x = g.add(x, gated_mlp(g, c, h, prefix, "silu"))
    # The name is that of another model's norm, but it is the last one here.
    return logits(g, c, g.rms_norm(x, "token_embd_norm", last=True))
