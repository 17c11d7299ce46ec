"""What models that embed make of their rows, in place of logits: a vector for each text, or scores of it."""

from .config import Config
from .graph import A, Graph

_DENSE = ("dense_2", "dense_3")  # as sentence-transformers numbers the parts of EmbeddingGemma


def pooled(g: Graph[A], c: Config, x: A) -> A:
    """Rows [T, width] of a step's texts -> a row of each: its vector, not yet divided by its length, or its scores.

    Raises WgmlError where a head that makes scores is missing.
    """
    assert c.pooling is not None
    x = g.pool(x, c.pooling)
    if c.verdicts:  # rows of the embedding, which is not multiplied as a whole: that is done where these are read
        return x
    if not c.ranks:
        for name in filter(c.has, _DENSE):
            x = g.linear(x, name)
        return x
    if c.has("cls"):
        x = g.unary(g.linear(x, "cls"), "gelu_erf" if c.has("cls.norm") else "tanh")
    if c.has("cls.norm"):
        x = g.layer_norm(x, "cls.norm")
    return g.linear(x, "cls.output") if c.has("cls.output") or not c.has("cls") else x
