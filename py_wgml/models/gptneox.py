"""GPT-NeoX (Black et al., arXiv:2204.06745) and Pythia: attention and feed-forward part side by side or one after the
other, each with a norm of its own."""

from .config import Config
from .graph import A, Graph
from .layers import logits, mlp, qkv

ARCHITECTURES = ("gptneox",)


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    x = g.embed("token_embd")
    for layer in range(c.block_count):
        prefix = f"blk.{layer}"
        h = qkv(g, c, g.layer_norm(x, f"{prefix}.attn_norm"), layer)
        attended = g.attention(h, c.attention(layer, c.rope("neox")))
        if c.parallel_residual:
            h = g.layer_norm(x, f"{prefix}.ffn_norm")
        x = g.add(x, g.linear(attended, f"{prefix}.attn_output"))
        if not c.parallel_residual:
            h = g.layer_norm(x, f"{prefix}.ffn_norm")
        x = g.add(x, mlp(g, h, prefix, "gelu_erf"))
    return logits(g, c, g.layer_norm(x, "output_norm", last=True))
