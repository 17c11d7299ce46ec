"""GPT-2 (Radford et al., 2019) and StarCoder (arXiv:2305.06161), with learned positions; StarCoder 2 (arXiv:2402.19173)
and Nemotron (arXiv:2402.16819), with rotations instead."""

from ..ops.unary import Function
from .config import NO_ROPE, Config
from .graph import A, Graph
from .layers import logits, mlp, qkv

ARCHITECTURES = ("gpt2", "starcoder", "starcoder2", "nemotron")


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    activation: Function = "relu2" if c.architecture == "nemotron" else "gelu"
    x, rope = g.embed("token_embd"), c.rope("neox")
    if c.architecture in ("gpt2", "starcoder"):
        x, rope = g.add_positions(x, "position_embd"), NO_ROPE
    for layer in range(c.block_count):
        prefix = f"blk.{layer}"
        h = qkv(g, c, g.layer_norm(x, f"{prefix}.attn_norm"), layer)
        x = g.add(x, g.linear(g.attention(h, c.attention(layer, rope)), f"{prefix}.attn_output"))
        x = g.add(x, mlp(g, g.layer_norm(x, f"{prefix}.ffn_norm"), prefix, activation))
    return logits(g, c, g.layer_norm(x, "output_norm", last=True))
