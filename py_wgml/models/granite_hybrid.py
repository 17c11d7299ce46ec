"""Granite 4 H (IBM, 2025): Granite with a state in place of attention in most layers, dense or a mixture."""

from .config import NO_ROPE, Config
from .graph import A, Graph
from .layers import gated_mlp, logits, mixture, qkv
from .mamba2 import state_space

ARCHITECTURES = ("granitehybrid",)


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]. As in granite.py, sums are kept divided by residual_scale."""
    rope = c.rope("norm") if c.rotates else NO_ROPE
    x = g.embed("token_embd", c.embedding_scale / c.residual_scale)
    for layer in range(c.block_count):
        prefix = f"blk.{layer}"
        h = g.rms_norm(x, f"{prefix}.attn_norm")
        if c.has(f"{prefix}.ssm_in"):
            x = g.add(x, state_space(g, c, h, prefix))
        else:
            h = g.attention(qkv(g, c, h, layer), c.attention(layer, rope))
            x = g.add(x, g.linear(h, f"{prefix}.attn_output"))
        h = g.rms_norm(x, f"{prefix}.ffn_norm")
        if c.has(f"{prefix}.ffn_gate_inp"):
            x = mixture(g, c, x, h, prefix, "silu")
        else:
            x = g.add(x, gated_mlp(g, c, h, prefix, "silu"))
    return g.unary(logits(g, c, g.rms_norm(x, "output_norm", last=True)), "scale", 1 / c.logit_scale)
