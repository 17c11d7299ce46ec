"""How much GPU memory a model takes, told from its header alone."""

from dataclasses import dataclass

from ..gguf_model.header import Header
from ..gpu.paper import PaperDevice
from ..models import plan
from ..ops import Bits, Pooling
from .embedder import Embedder
from .engine import Engine
from .runner import Runner


@dataclass(frozen=True)
class Needs:
    """Bytes of GPU memory with a conversation (or a text to embed) of `tokens`, and for each token more."""

    tokens: int
    bytes: int
    bytes_a_token: int


def needs(header: Header, context: int | None = None, cache_bits: Bits = 16, pooling: Pooling | None = None) -> Needs:
    """What a model takes with a context of `context` tokens (default: 4096, or what the model can do if that is less).

    Raises WgmlError as `plan` does.
    """
    config, *_ = plan(header, context, pooling)
    device = PaperDevice()
    engine: Engine
    if config.pooling:
        engine = Embedder(device, header, context, pooling)
    else:
        engine = Runner(device, header, context, cache_bits, 16, False)
    tokens = engine.context if context else min(engine.context, 4096)
    fewer = tokens // 2
    engine.make_room(fewer)
    less = device.memory
    engine.make_room(tokens)
    return Needs(tokens, device.memory, (device.memory - less) // max(1, tokens - fewer))
