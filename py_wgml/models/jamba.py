"""Jamba (AI21, arXiv:2403.19887): Mamba in place of attention in most layers, dense or a mixture in every other one."""

from .config import Config
from .graph import A, Graph
from .layers import gated_mlp, logits, mixture, qkv
from .mamba import selective_state

ARCHITECTURES = ("jamba",)


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]. Nothing is rotated."""
    x = g.embed("token_embd")
    for layer in range(c.block_count):
        prefix = f"blk.{layer}"
        h = g.rms_norm(x, f"{prefix}.attn_norm")
        if c.has(f"{prefix}.ssm_in"):
            x = g.add(x, selective_state(g, c, h, prefix))
        else:
            h = g.attention(qkv(g, c, h, layer), c.attention(layer))
            x = g.add(x, g.linear(h, f"{prefix}.attn_output"))
        h = g.rms_norm(x, f"{prefix}.ffn_norm")
        if c.has(f"{prefix}.ffn_gate_inp"):
            x = mixture(g, c, x, h, prefix, "silu", normalise=False)
        else:
            x = g.add(x, gated_mlp(g, c, h, prefix, "silu"))
    return logits(g, c, g.rms_norm(x, "output_norm", last=True))
