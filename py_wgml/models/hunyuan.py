"""Hunyuan, dense (Tencent, 2025): Llama with norms of queries and keys after their rotation."""

from .config import Config
from .graph import A, Graph
from .parts import gated_mlp, logits

ARCHITECTURES = ("hunyuan-dense",)


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    x = g.embed("token_embd")
    for layer in range(c.block_count):
        block = f"blk.{layer}"
        h = g.rms_norm(x, f"{block}.attn_norm")
        h = g.linear(h, f"{block}.attn_q", f"{block}.attn_k", f"{block}.attn_v")
        norms = f"{block}.attn_q_norm", f"{block}.attn_k_norm"
        h = g.attention(h, c.attention(layer, c.rope("neox"), norms=norms))
        x = g.add(x, g.linear(h, f"{block}.attn_output"))
        x = g.add(x, gated_mlp(g, c, g.rms_norm(x, f"{block}.ffn_norm"), block, "silu"))
    return logits(g, c, g.rms_norm(x, "output_norm", last=True))
