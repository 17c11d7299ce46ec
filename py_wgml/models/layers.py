"""What several families have in common."""

from ..errors import WgmlError
from ..gguf_model.rows import Rows
from ..ops.gated import Activation
from ..ops.route import Gating
from ..ops.unary import Function
from .config import Config, Latent, Mixture, Rope
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


def latent_attention(g: Graph[A], c: Config, x: A, layer: int, rope: Rope, scale: float) -> A:
    """What attends in a layer whose keys and values are products of latents (see `Latent`), and its output. Queries
    come from one matrix, or from two with a norm between; the matrices of keys and values are two tensors, or one that
    has rows of both in turn."""
    prefix = f"blk.{layer}"
    nope, pe, value_dim = c.head_dim - c.rope_norm.dim, c.rope_norm.dim, c.value_length
    count, low_rank = c.heads[layer].heads, c.has(f"{prefix}.attn_q_a")
    both = g.linear(x, f"{prefix}.attn_q{'_a' * low_rank}", f"{prefix}.attn_kv_a_mqa")
    q, kv = g.split(both, c.q_lora_rank if low_rank else count * c.head_dim, c.kv_lora_rank + pe)
    queries = both  # which are its first columns, read where they are
    if low_rank:
        queries = g.linear(g.rms_norm(q, f"{prefix}.attn_q_a_norm", eps=c.eps), f"{prefix}.attn_q_b")
    keys: str | Rows = f"{prefix}.attn_k_b"
    values: str | Rows = f"{prefix}.attn_v_b"
    if c.has(f"{prefix}.attn_kv_b"):
        name, period = f"{prefix}.attn_kv_b", nope + value_dim
        keys, values = Rows(name, 0, nope, period), Rows(name, nope, value_dim, period)
    how = Latent(
        layer,
        count=count,
        rank=c.kv_lora_rank,
        nope=nope,
        pe=pe,
        value_dim=value_dim,
        rope=rope,
        scale=scale,
        norm=f"{prefix}.attn_kv_a_norm",
        keys=keys,
        values=values,
    )
    return g.linear(g.latent_attention(queries, kv, how), f"{prefix}.attn_output")


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


def biased(g: Graph[A], c: Config, x: A, name: str) -> A:
    """The product with a matrix that must have a bias. Raises WgmlError where the file has none."""
    if f"{name}.bias" not in c.tensors:
        raise WgmlError(f"the file lacks the tensor {name}.bias")
    return g.linear(x, name)


def logits(g: Graph[A], c: Config, x: A) -> A:
    """Logits of the next token, from the last norm's output: with a matrix of their own or that of the embedding.
    Where a model embeds, that output itself."""
    if c.pooling:
        return x
    return g.linear(x, "output" if c.has("output") else "token_embd")
