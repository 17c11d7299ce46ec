"""Nemotron-H (NVIDIA, arXiv:2504.03624), Nemotron Nano 2, Nemotron 3: a layer is a state, attention without rotation, a
dense part or a mixture, whose experts may work on fewer elements."""

from .config import Config, Mixture
from .graph import A, Graph
from .layers import logits, mlp, qkv
from .mamba2 import state_space

ARCHITECTURES = ("nemotron_h", "nemotron_h_moe")


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    x = g.embed("token_embd")
    for layer in range(c.block_count):
        prefix = f"blk.{layer}"
        h = g.rms_norm(x, f"{prefix}.attn_norm")
        if c.has(f"{prefix}.ssm_in"):
            x = g.add(x, state_space(g, c, h, prefix))
        elif c.has(f"{prefix}.attn_q"):
            h = g.attention(qkv(g, c, h, layer), c.attention(layer))
            x = g.add(x, g.linear(h, f"{prefix}.attn_output"))
        elif c.has(f"{prefix}.ffn_gate_inp"):
            x = g.add(g.add(x, experts(g, c, h, prefix)), mlp(g, h, prefix, "relu2", "_shexp"))
        else:
            x = g.add(x, mlp(g, h, prefix, "relu2"))
    return logits(g, c, g.rms_norm(x, "output_norm", last=True))


def experts(g: Graph[A], c: Config, x: A, prefix: str) -> A:
    """The mixture of x, or of x made narrower."""
    how = Mixture(f"{prefix}.ffn", "relu2", c.expert_weights_norm, "sigmoid", f"{prefix}.exp_probs_b.bias", gated=False)
    if not c.has(f"{prefix}.ffn_latent_down"):
        return g.experts(x, how)
    narrow = g.experts(g.linear(x, f"{prefix}.ffn_latent_down"), how, router=x)
    return g.linear(narrow, f"{prefix}.ffn_latent_up")
