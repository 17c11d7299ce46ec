"""Mamba (Gu and Dao, arXiv:2312.00752) and Falcon Mamba (arXiv:2410.05355): every layer remembers, channel by channel,
and none attends."""

from .config import Config
from .graph import A, Graph
from .layers import biased, logits

ARCHITECTURES = ("mamba",)


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    x = g.embed("token_embd")
    for layer in range(c.block_count):
        prefix = f"blk.{layer}"
        x = g.add(x, selective_state(g, c, g.rms_norm(x, f"{prefix}.attn_norm"), prefix))
    return logits(g, c, g.rms_norm(x, "output_norm", last=True))


def selective_state(g: Graph[A], c: Config, x: A, prefix: str) -> A:
    """Each channel is mixed with those of the tokens before; all of them make the steps, keys and queries that each is
    remembered by. These are normed where the file has weights for that, or says so."""
    ssm = c.ssm
    values, gates = g.split(g.linear(x, f"{prefix}.ssm_in"), ssm.inner, ssm.inner)
    values = g.causal_conv(values, f"{prefix}.ssm_conv1d")
    parts = g.split(g.linear(values, f"{prefix}.ssm_x"), ssm.time_step_rank, ssm.keys, ssm.keys)
    names = [f"{prefix}.ssm_{part}_norm" for part in ("dt", "b", "c")]
    if c.has(names[0]):
        parts = [g.rms_norm(part, name) for part, name in zip(parts, names, strict=True)]
    elif ssm.dt_b_c_rms:
        parts = [g.rms_norm(part, None) for part in parts]
    steps, keys, queries = parts
    found = g.selective_scan(values, biased(g, c, steps, f"{prefix}.ssm_dt"), keys, queries, prefix)
    return g.linear(g.gated(gates, "silu", found), f"{prefix}.ssm_out")
