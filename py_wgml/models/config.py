"""A model's hyper-parameters, from GGUF metadata alone. Names are GGUF's own."""

from dataclasses import dataclass

from ..errors import WgmlError
from ..gguf_model.header import Header


@dataclass(frozen=True)
class Config:
    """Hyper-parameters that families share. Sizes in elements."""

    architecture: str
    block_count: int
    embedding_length: int
    feed_forward_length: int
    head_count: int
    head_count_kv: int
    head_dim: int
    context_length: int
    norm_eps: float
    rope_dim: int
    rope_base: float
    rope_scale: float  # positions are divided by it (linear scaling)
    vocabulary: int
    tied_output: bool  # logits are made with the embedding matrix

    @classmethod
    def from_header(cls, header: Header) -> "Config":
        """Read the `<architecture>.*` keys. Raises WgmlError for one that is missing or makes no sense."""
        metadata = header.metadata
        architecture = metadata.get("general.architecture")
        if not isinstance(architecture, str):
            raise WgmlError("the file does not say its architecture (general.architecture)")

        def number(key: str, default: float | None = None) -> float:
            value = metadata.get(f"{architecture}.{key}", default)
            if value is None:
                raise WgmlError(f"the file lacks {architecture}.{key}")
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise WgmlError(f"{architecture}.{key} is not a number")
            return value

        def size(key: str, default: int | None = None) -> int:
            value = number(key, default)
            if value != int(value) or not 0 < value < 1 << 31:
                raise WgmlError(f"{architecture}.{key} is {value}, not a size")
            return int(value)

        embedding, heads = size("embedding_length"), size("attention.head_count")
        head_dim = size("attention.key_length", max(1, embedding // heads))
        scaling = metadata.get(f"{architecture}.rope.scaling.type", "none")
        if scaling not in ("none", "linear"):
            raise WgmlError(f"rope scaling {scaling!r} is not supported; supported: none, linear, frequency factors")
        embeddings = header.tensors.get("token_embd.weight")
        if embeddings is None or embeddings.shape[1:] != (embedding,):
            raise WgmlError(f"the file has no tensor token_embd.weight with rows of {embedding} elements")
        if heads % size("attention.head_count_kv", heads):
            raise WgmlError(f"{heads} heads can't be shared out evenly over the file's number of key/value heads")
        return cls(
            architecture=architecture,
            block_count=size("block_count"),
            embedding_length=embedding,
            feed_forward_length=size("feed_forward_length"),
            head_count=heads,
            head_count_kv=size("attention.head_count_kv", heads),
            head_dim=head_dim,
            context_length=size("context_length"),
            norm_eps=float(number("attention.layer_norm_rms_epsilon")),
            rope_dim=size("rope.dimension_count", head_dim),
            rope_base=float(number("rope.freq_base", 10000.0)),
            rope_scale=float(number("rope.scaling.factor", 1.0)) if scaling == "linear" else 1.0,
            vocabulary=embeddings.shape[0],
            tied_output="output.weight" not in header.tensors,
        )
