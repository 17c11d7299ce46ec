"""Granite 3 (IBM, 2024), dense or a mixture, and MiniCPM (arXiv:2404.06395): Llama with scales for embeddings,
attention, residuals and logits."""

from ..errors import WgmlError
from . import llama
from .config import Config
from .graph import A, Graph

ARCHITECTURES = ("granite", "granitemoe", "minicpm")


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]. Raises WgmlError for a file that lacks what it needs."""
    if c.architecture == "minicpm" and c.embedding_scale == 1:  # early converters left it out
        raise WgmlError("the file lacks minicpm.embedding_scale: convert the model anew")
    # Layers add s times their results. Instead the sum is kept divided by s, which its norms do not notice: the
    # config's eps is that for such a sum.
    out = llama.decode(g, c, [c.rope("norm")] * c.block_count, embedding_scale=c.embedding_scale / c.residual_scale)
    return g.unary(out, "scale", 1 / c.logit_scale)
