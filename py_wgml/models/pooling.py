"""How a model makes vectors of texts, or scores, by its header."""

from ..errors import WgmlError
from ..gguf_model.header import Header
from ..metadata import Metadata
from ..ops import Pooling

RERANKING = "tokenizer.chat_template.rerank"
"""The key of the template that query and document are put into."""

_POOLING: dict[int, Pooling | None] = {0: None, 1: "mean", 2: "cls", 3: "last", 4: None}  # as GGUF numbers it
_RANKING = 4


def pooling_of(keys: Metadata, header: Header, wanted: Pooling | None, causal: bool) -> tuple[Pooling | None, bool]:
    """Of which rows a text's vector is made, if one is, and whether a head makes scores of it.

    keys: those of the architecture. wanted: what is asked for. Raises WgmlError for ways that are not known.
    """
    number = keys.size("pooling_type", 0, low=0)
    if number not in _POOLING:
        raise WgmlError(f"texts are pooled in a way with the number {number}; supported: mean (1), cls (2), last (3)")
    tensors = header.tensors
    # What is trained with a head of its own may keep a part of that, but for its last matrix. ModernBERT has two.
    two = "cls.norm.weight" in tensors
    ranks = number == _RANKING or "cls.output.weight" in tensors or ("cls.weight" in tensors and not two)
    ranks |= causal and number == 0 and RERANKING in header.metadata
    if ranks:
        heads = keys.size("classifier.pooling_type", 1 if two else 0, low=0)
        return wanted or _POOLING.get(heads) or ("last" if causal else "cls"), True
    # As sentence-transformers has it: the mean, where nothing is said.
    return wanted or _POOLING[number] or (None if causal else "mean"), False


def verdicts_of(header: Header) -> tuple[int, ...]:
    """The tokens "yes" and "no", where they are what a reranker says. Raises WgmlError where it can't say that."""
    if "cls.output.weight" in header.tensors or "cls.weight" in header.tensors:
        return ()
    tokens = Metadata(header.metadata).strings("tokenizer.ggml.tokens") or []
    if "output.weight" in header.tensors or not {"yes", "no"} <= {*tokens}:
        raise WgmlError("the file is said to be a reranker's, but lacks the tensor cls.output.weight: convert it anew")
    return tokens.index("yes"), tokens.index("no")
