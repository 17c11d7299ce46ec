"""What several families have in common."""

from ..ops.gated import Activation
from ..ops.route import Gating
from ..ops.unary import Function
from .config import Config, Mixture
from .graph import A, Graph


def qkv(g: Graph[A], c: Config, x: A, layer: int, whole_norm: bool = False) -> A:
    """Queries, keys and values side by side, which files keep in three tensors or in one; normed where they have
    vectors for that: each head by itself, or as a whole."""
    prefix = f"blk.{layer}"
    if c.has(f"{prefix}.attn_qkv"):
        out = g.linear(x, f"{prefix}.attn_qkv")
    else:
        out = g.linear(x, f"{prefix}.attn_q", f"{prefix}.attn_k", f"{prefix}.attn_v")
    if c.has(f"{prefix}.attn_q_norm"):
        out = g.qk_norm(out, f"{prefix}.attn_q_norm", f"{prefix}.attn_k_norm", c.heads[layer], whole_norm)
    return out


def mixture(
    g: Graph[A],
    c: Config,
    x: A,
    h: A,
    prefix: str,
    activation: Activation,
    normalise: bool = True,
    gating: Gating = "softmax",
    router: A | None = None,
) -> A:
    """x plus the feed-forward part of a layer that is a mixture of experts (see `Mixture`), of x's norm h, and that of
    an expert that all tokens share where the file has one, times a gate or not. gating: unless the file says another
    one. router: see `Graph.experts`."""
    bias = f"{prefix}.exp_probs_b.bias"
    gating = c.expert_gating or gating
    how = Mixture(f"{prefix}.ffn", activation, normalise, gating, bias if bias in c.tensors else None)
    x = g.add(x, g.experts(h, how, router))
    if c.has(f"{prefix}.ffn_gate_inp_shexp"):
        gate = g.token_gate(h, f"{prefix}.ffn_gate_inp_shexp")
        return g.add(x, g.mul(gated_mlp(g, c, h, prefix, activation, "_shexp"), gate))
    if c.has(f"{prefix}.ffn_up_shexp"):
        return g.add(x, gated_mlp(g, c, h, prefix, activation, "_shexp"))
    return x


def gated_mlp(g: Graph[A], c: Config, x: A, prefix: str, activation: Activation, suffix: str = "") -> A:
    """The gated feed-forward part of a layer without experts. Gates and values come from two tensors or, as ffn_up,
    from one. suffix: of the tensors' names."""
    names = [f"{prefix}.ffn_{name}{suffix}" for name in ("gate", "up")]
    h = g.linear(x, *(names if c.has(names[0]) else names[1:]))
    return g.linear(g.gated(h, activation), f"{prefix}.ffn_down{suffix}")


def mlp(
    g: Graph[A], x: A, prefix: str, activation: Function, suffix: str = "", parameters: tuple[float, ...] = ()
) -> A:
    """The feed-forward part of a layer without gates. suffix: of the tensors' names; parameters: of the activation."""
    h = g.unary(g.linear(x, f"{prefix}.ffn_up{suffix}"), activation, *parameters)
    return g.linear(h, f"{prefix}.ffn_down{suffix}")


def logits(g: Graph[A], c: Config, x: A) -> A:
    """Logits of the next token, from the last norm's output: with a matrix of their own or that of the embedding."""
    return g.linear(x, "output" if c.has("output") else "token_embd")
