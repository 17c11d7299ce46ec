"""Model families. A new one is one file with `ARCHITECTURES` and `forward`, and its name in `_FAMILIES`."""

from ..errors import WgmlError, quoted
from ..gguf_model.header import Header
from ..metadata import Metadata
from . import (
    apertus,
    arcee,
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
    nemotron_h,
    olmo2,
    olmoe,
    phi2,
    phi3,
    plamo2,
    plm,
    qwen,
    qwen35,
    smallthinker,
    smollm3,
    stablelm,
)
from .activations import Activations
from .build import Forward, State, build
from .cache import Cache
from .config import Config
from .graph import Graph
from .planner import Plan
from .record import Logits, Step
from .scales import spread_scales

__all__ = [
    "ARCHITECTURES",
    "Activations",
    "Cache",
    "Config",
    "Forward",
    "Graph",
    "Logits",
    "Plan",
    "State",
    "Step",
    "build",
    "plan",
    "spread_scales",
]

_FAMILIES = (
    llama, arcee, smollm3, qwen, qwen35, phi3, granite, granite_hybrid, gemma, gemma2, gemma3n, gemma4, glm4, glm4_moe,
    olmo2, olmoe, apertus, smallthinker, cohere, stablelm, phi2, gptneox, gpt2, gpt_oss, deepseek2, minicpm3, plm, lfm2,
    hunyuan, kimi_linear, mamba, jamba, mamba2, plamo2, falcon_h1, nemotron_h,
)  # fmt: skip

_FORWARD: dict[str, Forward] = {name: family.forward for family in _FAMILIES for name in family.ARCHITECTURES}

ARCHITECTURES = tuple(_FORWARD)
"""What general.architecture of a GGUF file may be."""


def plan(header: Header, context: int | None = None) -> tuple[Config, Forward, Plan]:
    """All that can be known of a model from its header. context: see `Config.from_header`.

    Raises WgmlError when it is not supported (naming what is), or its file is not whole.
    """
    architecture = Metadata(header.metadata).text("general.architecture")
    if not architecture:
        raise WgmlError("the file does not say its architecture (general.architecture)")
    if architecture not in _FORWARD:
        supported = ", ".join(ARCHITECTURES)
        raise WgmlError(f"models of the architecture {quoted(architecture)} are not supported; supported: {supported}")
    forward = _FORWARD[architecture]
    config = Config.from_header(header, context)
    found = Plan(header, config)
    if forward(found, config).width != config.vocabulary:
        raise WgmlError(f"the file does not have a logit for each of {config.vocabulary} tokens")
    found.check()
    return config, forward, found
