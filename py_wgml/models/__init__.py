"""Model families. A new one is one file with `ARCHITECTURES` and `forward`, and its name in `_FAMILIES`; `ENCODERS` are
those of its architectures that generate nothing."""

from typing import Any

from ..errors import WgmlError, quoted
from ..gguf_model.header import Header
from ..metadata import Metadata
from ..ops import Heads, Pooling
from . import (
    apertus,
    arcee,
    bert,
    cohere,
    deepseek2,
    falcon_h1,
    gemma,
    gemma2,
    gemma3n,
    gemma4,
    glm4,
    glm4_moe,
    gpt2,
    gpt_oss,
    gptneox,
    granite,
    granite_hybrid,
    hunyuan,
    jamba,
    kimi_linear,
    lfm2,
    llama,
    mamba,
    mamba2,
    minicpm3,
    modern_bert,
    nemotron_h,
    olmo2,
    olmoe,
    phi2,
    phi3,
    plamo2,
    plm,
    qwen,
    qwen35,
    rwkv7,
    smallthinker,
    smollm3,
    stablelm,
)
from .activations import Activations
from .build import Forward, Made, State, build
from .cache import Cache, Passing
from .config import Config
from .graph import Graph
from .planner import Plan
from .pooled import pooled
from .pooling import RERANKING
from .record import Logits, Step, Texts
from .scales import spread_scales

__all__ = [
    "ARCHITECTURES",
    "FAMILIES",
    "RERANKING",
    "Activations",
    "Cache",
    "Config",
    "Forward",
    "Graph",
    "Logits",
    "Made",
    "Passing",
    "Plan",
    "State",
    "Step",
    "Texts",
    "build",
    "plan",
    "spread_scales",
]

_FAMILIES = (
    llama, arcee, smollm3, qwen, qwen35, phi3, granite, granite_hybrid, gemma, gemma2, gemma3n, gemma4, glm4, glm4_moe,
    olmo2, olmoe, apertus, smallthinker, cohere, stablelm, phi2, gptneox, gpt2, gpt_oss, deepseek2, minicpm3, plm, lfm2,
    hunyuan, kimi_linear, rwkv7, mamba, jamba, mamba2, plamo2, falcon_h1, nemotron_h, bert, modern_bert,
)  # fmt: skip

_FORWARD: dict[str, Forward] = {name: family.forward for family in _FAMILIES for name in family.ARCHITECTURES}

FAMILIES = {name: family.__name__.rpartition(".")[2] for family in _FAMILIES for name in family.ARCHITECTURES}
"""What the file of each architecture's family is called, without its suffix."""

_ENCODERS = {name for family in _FAMILIES for name in getattr(family, "ENCODERS", ())}

ARCHITECTURES = tuple(_FORWARD)
"""What general.architecture of a GGUF file may be."""


def plan(header: Header, context: int | None = None, pooling: Pooling | None = None) -> tuple[Config, Forward, Plan]:
    """All that can be known of a model from its header. context, pooling: see `Config.from_header`. The function makes
    logits or, where the config has a pooling, what `pooled` makes.

    Raises WgmlError when it is not supported (naming what is), or its file is not whole.
    """
    architecture = Metadata(header.metadata).text("general.architecture")
    if not architecture:
        raise WgmlError("the file does not say its architecture (general.architecture)")
    if architecture not in _FORWARD:
        supported = ", ".join(ARCHITECTURES)
        raise WgmlError(f"models of the architecture {quoted(architecture)} are not supported; supported: {supported}")
    forward = _FORWARD[architecture]
    config = Config.from_header(header, context, pooling, architecture in _ENCODERS)
    found = Plan(header, config)
    if config.pooling:
        forward = _embedding(forward)
    width = forward(found, config).width
    kept = [isinstance(kept, Heads) and not kept.latent for kept in found.kept.values()]
    if config.pooling and (found.states or not all(kept)):
        raise WgmlError("layers that keep something else than keys and values are not supported in models that embed")
    if not config.pooling and width != config.vocabulary:
        raise WgmlError(f"the file does not have a logit for each of {config.vocabulary} tokens")
    found.check()
    return config, forward, found


def _embedding(forward: Forward) -> Forward:
    """The function that goes on from rows to vectors."""

    def embed(g: Graph[Any], c: Config) -> Any:
        return pooled(g, c, forward(g, c))

    return embed
