"""Mamba-2 (Dao and Gu, arXiv:2405.21060): every layer remembers, and none attends."""

from .config import Config, Recurrence
from .graph import A, Graph
from .layers import logits

ARCHITECTURES = ("mamba2",)


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    x = g.embed("token_embd")
    for layer in range(c.block_count):
        prefix = f"blk.{layer}"
        x = g.add(x, state_space(g, c, g.rms_norm(x, f"{prefix}.attn_norm"), prefix))
    return logits(g, c, g.rms_norm(x, "output_norm", last=True))


def state_space(g: Graph[A], c: Config, x: A, prefix: str) -> A:
    """Values, keys and queries (x, B and C) are mixed with those of the tokens before; what is remembered for a query
    is gated, and then normed where the file has weights for that."""
    memory = c.ssm.memory(skip=True)
    h = g.linear(x, f"{prefix}.ssm_in")
    gates, mixed, rates = g.split(h, memory.width, sum(memory.widths), memory.rates)
    mixed = g.causal_conv(mixed, f"{prefix}.ssm_conv1d")
    names = f"{prefix}.ssm_a", f"{prefix}.ssm_dt.bias", f"{prefix}.ssm_d"
    found = g.linear_attention(mixed, rates, Recurrence(f"{prefix}.ssm", memory, names))
    if c.has(f"{prefix}.ssm_norm"):
        found = g.gated_norm(found, gates, f"{prefix}.ssm_norm", parts=memory.key_heads, before=True)
    else:
        found = g.gated(gates, "silu", found)
    return g.linear(found, f"{prefix}.ssm_out")
