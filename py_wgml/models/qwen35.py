"""Qwen3-Next and Qwen3.5 (Qwen team, 2025 and 2026), dense or a mixture: most layers remember by the gated delta rule
(arXiv:2412.06464) in place of attention, which has gates of its own (arXiv:2505.06708)."""

from ..gguf_model.rows import Rows
from ..ops import Memory
from .config import Config, Recurrence
from .graph import A, Graph
from .layers import gated_mlp, logits, mixture

ARCHITECTURES = ("qwen3next", "qwen35", "qwen35moe")


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    x = g.embed("token_embd")
    for layer in range(c.block_count):
        prefix = f"blk.{layer}"
        h = g.rms_norm(x, f"{prefix}.attn_norm")
        x = g.add(x, delta_rule(g, c, h, prefix) if c.has(f"{prefix}.ssm_conv1d") else gated_attention(g, c, h, layer))
        h = g.rms_norm(x, f"{prefix}.post_attention_norm")
        if c.has(f"{prefix}.ffn_gate_inp"):
            x = mixture(g, c, x, h, prefix, "silu")
        else:
            x = g.add(x, gated_mlp(g, c, h, prefix, "silu"))
    return logits(g, c, g.rms_norm(x, "output_norm", last=True))


def gated_attention(g: Graph[A], c: Config, x: A, layer: int) -> A:
    """What attention makes, times a gate for each element of it: files keep those of a head behind its queries."""
    prefix, size = f"blk.{layer}", c.heads[layer].head_dim
    queries, gates = (Rows(f"{prefix}.attn_q", first, size, 2 * size) for first in (0, size))
    heads = c.heads[layer]
    h = g.linear(x, queries, f"{prefix}.attn_k", f"{prefix}.attn_v", gates)
    h = g.qk_norm(h, f"{prefix}.attn_q_norm", f"{prefix}.attn_k_norm", heads)
    attended = g.attention(h, c.attention(layer, c.rope("neox")))
    gated = g.gated(g.slice(h, heads.qkv_width, heads.width), "sigmoid", attended)
    return g.linear(gated, f"{prefix}.attn_output")


def delta_rule(g: Graph[A], c: Config, x: A, prefix: str) -> A:
    """Queries, keys and values are mixed with those of the tokens before, and what is remembered for a query is normed
    and gated."""
    memory = c.ssm.memory(delta=True, eps=c.eps, interleaved=c.architecture != "qwen3next")
    h = g.linear(x, *projections(c, prefix, memory))
    qkv, gates, rates = g.split(h, sum(memory.widths), memory.width, 2 * memory.heads)
    mixed = g.causal_conv(qkv, f"{prefix}.ssm_conv1d")
    how = Recurrence(f"{prefix}.ssm", memory, (f"{prefix}.ssm_a", f"{prefix}.ssm_dt.bias"))
    found = g.linear_attention(mixed, rates, how)
    found = g.gated_norm(found, gates, f"{prefix}.ssm_norm", parts=memory.heads)
    return g.linear(found, f"{prefix}.ssm_out")


def projections(c: Config, prefix: str, memory: Memory) -> list[str | Rows]:
    """The matrices of queries, keys and values, of gates, and of the rates to forget and to write at."""
    names: list[str | Rows] = [f"{prefix}.attn_qkv", f"{prefix}.attn_gate"]
    shared = memory.heads // memory.key_heads
    if c.has(f"{prefix}.ssm_in"):  # early files keep what belongs to a head of keys together
        sizes = (memory.keys, memory.keys, shared * memory.values, shared * memory.values)
        names = [Rows(f"{prefix}.ssm_in", sum(sizes[:i]), size, sum(sizes)) for i, size in enumerate(sizes)]
    if c.has(f"{prefix}.ssm_ba"):
        return [*names, *(Rows(f"{prefix}.ssm_ba", first, shared, 2 * shared) for first in (shared, 0))]
    return [*names, f"{prefix}.ssm_alpha", f"{prefix}.ssm_beta"]
