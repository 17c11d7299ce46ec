"""PLaMo 2 (Preferred Networks, arXiv:2509.04897), after Samba (arXiv:2406.07522): Mamba-2 with norms of its own in
every other layer, else attention, and norms before and behind each part."""

from dataclasses import replace

from ..gguf_model.rows import Rows
from .config import Config, Recurrence
from .graph import A, Graph
from .layers import biased, gated_mlp, logits

ARCHITECTURES = ("plamo2",)


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    x = g.embed("token_embd")
    for layer in range(c.block_count):
        prefix = f"blk.{layer}"
        h = g.rms_norm(x, f"{prefix}.attn_norm")
        h = state_space(g, c, h, prefix) if c.has(f"{prefix}.ssm_in") else attention(g, c, h, layer)
        x = g.add(x, g.rms_norm(h, f"{prefix}.post_attention_norm"))
        h = gated_mlp(g, c, g.rms_norm(x, f"{prefix}.ffn_norm"), prefix, "silu")
        x = g.add(x, g.rms_norm(h, f"{prefix}.post_ffw_norm"))
    return logits(g, c, g.rms_norm(x, "output_norm", last=True))


def attention(g: Graph[A], c: Config, x: A, layer: int) -> A:
    """Each head's queries and keys are normed with weights of their own."""
    prefix, heads = f"blk.{layer}", c.heads[layer]
    q, k, v = g.split(g.linear(x, f"{prefix}.attn_qkv"), *heads.widths)
    q = g.rms_norm(q, f"{prefix}.attn_q_norm", parts=heads.heads)
    k = g.rms_norm(k, f"{prefix}.attn_k_norm", parts=heads.kv_heads)
    attended = g.attention(g.concat(q, k, v), c.attention(layer, c.rope("neox")))
    return g.linear(attended, f"{prefix}.attn_output")


def state_space(g: Graph[A], c: Config, x: A, prefix: str) -> A:
    """As in mamba2.py, but the values alone are mixed with those before, and make steps, keys and queries, one of these
    for all heads. Files keep a head's values behind its gates."""
    memory = replace(c.ssm, groups=1).memory(skip=True, shifted=False)
    turns = [Rows(f"{prefix}.ssm_in", first, memory.values, 2 * memory.values) for first in (0, memory.values)]
    gates, values = g.split(g.linear(x, *turns), memory.width, memory.width)
    values = g.causal_conv(values, f"{prefix}.ssm_conv1d")
    step_rank = max(64, c.embedding_length // 16)  # a constant of the model
    parts = g.split(g.linear(values, f"{prefix}.ssm_x"), memory.keys, memory.keys, step_rank)
    names = [f"{prefix}.ssm_{part}_norm" for part in ("b", "c", "dt")]
    keys, queries, steps = (g.rms_norm(part, name) for part, name in zip(parts, names, strict=True))
    how = Recurrence(f"{prefix}.ssm", memory, (f"{prefix}.ssm_a", f"{prefix}.ssm_d"))
    found = g.linear_attention(g.concat(values, keys, queries), biased(g, c, steps, f"{prefix}.ssm_dt"), how)
    return g.linear(g.gated(gates, "silu", found), f"{prefix}.ssm_out")
