"""Arcee's AFM (https://huggingface.co/arcee-ai/AFM-4.5B): Llama with squared ReLU in the place of gates."""

from .config import Config
from .graph import A, Graph
from .layers import logits, mlp, qkv

ARCHITECTURES = ("arcee",)


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    x = g.embed("token_embd")
    for layer in range(c.block_count):
        prefix = f"blk.{layer}"
        h = qkv(g, c, g.rms_norm(x, f"{prefix}.attn_norm"), layer)
        x = g.add(x, g.linear(g.attention(h, c.attention(layer, c.rope("norm"))), f"{prefix}.attn_output"))
        x = g.add(x, mlp(g, g.rms_norm(x, f"{prefix}.ffn_norm"), prefix, "relu2"))
    return logits(g, c, g.rms_norm(x, "output_norm", last=True))
