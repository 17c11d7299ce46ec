"""Kimi Linear (Moonshot AI, arXiv:2510.26692): most layers remember by the gated delta rule with a decay a key, the
others attend to latents without a rotation; the first is dense, the others are mixtures."""

from ..ops import Memory
from .config import NO_ROPE, Config, Recurrence
from .graph import A, Graph
from .layers import gated_mlp, latent_attention, logits, mixture

ARCHITECTURES = ("kimi-linear",)


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    x = g.embed("token_embd")
    for layer in range(c.block_count):
        prefix = f"blk.{layer}"
        h = g.rms_norm(x, f"{prefix}.attn_norm")
        if c.has(f"{prefix}.ssm_conv1d_q"):
            x = g.add(x, delta_rule(g, c, h, layer))
        else:
            x = g.add(x, latent_attention(g, c, h, layer, NO_ROPE, c.attention_scale))
        h = g.rms_norm(x, f"{prefix}.ffn_norm")
        if c.has(f"{prefix}.ffn_gate_inp"):
            x = mixture(g, c, x, h, prefix, "silu", gating="sigmoid")
        else:
            x = g.add(x, gated_mlp(g, c, h, prefix, "silu"))
    return logits(g, c, g.rms_norm(x, "output_norm", last=True))


def delta_rule(g: Graph[A], c: Config, x: A, layer: int) -> A:
    """As in qwen35.py, with a decay for each key; these and the gates of what comes out are products of few numbers."""
    prefix, heads = f"blk.{layer}", c.heads[layer].heads
    memory = Memory(heads, heads, c.kda_head_dim, c.kda_head_dim, delta=True, eps=c.eps, channels=True)
    qkv = g.linear(x, *(f"{prefix}.attn_{part}" for part in "qkv"))
    mixed = g.causal_conv(qkv, *(f"{prefix}.ssm_conv1d_{part}" for part in "qkv"))
    decays, gates = (g.linear(g.linear(x, f"{prefix}.ssm_{p}_a"), f"{prefix}.ssm_{p}_b") for p in "fg")
    how = Recurrence(f"{prefix}.ssm", memory, (f"{prefix}.ssm_a", f"{prefix}.ssm_dt.bias"))
    found = g.linear_attention(mixed, g.concat(decays, g.linear(x, f"{prefix}.ssm_beta")), how)
    found = g.gated_norm(found, gates, f"{prefix}.ssm_norm", parts=heads, activation="sigmoid")
    return g.linear(found, f"{prefix}.attn_output")
