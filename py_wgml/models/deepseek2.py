"""DeepSeek-V2 (arXiv:2405.04434) and V3 (arXiv:2412.19437), and what is built like them: Moonlight, GigaChat 3,
GLM-4.7-Flash, Kanana-2, Youtu-LLM. Keys and values are made of latents; the first layers, or all, are dense, the others
mixtures."""

import math
from dataclasses import replace

from .config import Config, Rope
from .graph import A, Graph
from .layers import gated_mlp, latent_attention, logits, mixture

ARCHITECTURES = ("deepseek2",)


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    rope, scale = _stretched(c)
    x = g.embed("token_embd")
    for layer in range(c.block_count):
        prefix = f"blk.{layer}"
        x = g.add(x, latent_attention(g, c, g.rms_norm(x, f"{prefix}.attn_norm"), layer, rope, scale))
        h = g.rms_norm(x, f"{prefix}.ffn_norm")
        if c.has(f"{prefix}.ffn_gate_inp"):
            # Files that don't say are those of V2, and early ones of what has V3's bias for the choice.
            gating = c.expert_gating or ("sigmoid" if f"{prefix}.exp_probs_b.bias" in c.tensors else "softmax")
            x = mixture(g, c, x, h, prefix, "silu", c.expert_weights_norm, gating)
        else:
            x = g.add(x, gated_mlp(g, c, h, prefix, "silu"))
    return logits(g, c, g.rms_norm(x, "output_norm", last=True))


def _stretched(c: Config) -> tuple[Rope, float]:
    """The rotation, and what scores are multiplied by. With YaRN, scores as a whole are multiplied by what elsewhere
    only the rotated elements are; the file's multiplier has YaRN's 0.1 in it, of this architecture alone."""
    rope = c.rope("norm")
    if rope.scaling is None or rope.scaling.kind != "yarn" or not c.yarn_log_multiplier:
        return rope, c.attention_scale
    magnitude = 1 + c.yarn_log_multiplier * math.log(max(1.0, rope.scaling.factor))
    return replace(rope, scaling=replace(rope.scaling, attention_factor=1.0)), c.attention_scale * magnitude**2
