"""What a loaded model tells of itself, and makes of a conversation before it is asked: all that waits for no GPU."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from .chat import AnswerFormat, ChatTemplate
from .errors import WgmlError, quoted
from .forms import Forms
from .generate import Embedder, Runner
from .gguf_model import Header
from .metadata import MAX_NAME, Metadata
from .models import FAMILIES, Config, plan
from .ops import Pooling
from .options import Tools
from .prompts import Message, Prompts, token_text
from .tokenizer import Tokenizer, from_metadata

CANNOT = {
    "chat": "is a model that writes text, and makes no vectors or scores",
    "embedding": "is an embedding model, which makes vectors of texts",
    "reranker": "is a reranker, which scores documents for a query",
}

_SMALL = 1_000_000_000  # parameters: below, the likeliest word is the best one, if only it does not repeat itself


@dataclass(frozen=True)
class Defaults:
    """Sampling that suits a model where the caller says nothing."""

    temperature: float = 0.7
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    repetition_penalty: float = 1.0

    @classmethod
    def of(cls, count: int, recommended: Mapping[str, Any]) -> "Defaults":
        """Those for a model of `count` parameters whose file recommends this."""
        small = {"temperature": 0.0, "repetition_penalty": 1.1} if count < _SMALL else {}
        return cls(**{**small, **recommended})


_RANGES = {  # the key of a file, and what makes sense there
    "temperature": ("temp", 0, 2),
    "top_k": ("top_k", 0, 10_000),
    "top_p": ("top_p", 0.01, 1),
    "min_p": ("min_p", 0, 0.99),
    "repetition_penalty": ("penalty_repeat", 0.5, 2),
}


def recommended(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What a file says of how its model is best sampled, by names of Sampling. What makes no sense is not believed."""
    said, found = Metadata(metadata, "general.sampling."), dict[str, Any]()
    for name, (key, low, high) in _RANGES.items():
        with suppress(WgmlError):
            if key in said:
                value = round(said.number(key, low, high), 6)  # a file has it as float32
                found[name] = int(value) if name == "top_k" else value
    return found


class Loaded:
    """A part of `Model` and of `SyncModel`, which share what it holds."""

    def __init__(
        self, engine: Runner | Embedder, tokenizer: Tokenizer, template: ChatTemplate, header: Header, name: str
    ) -> None:
        self._engine, self.tokenizer, self.header, self.name = engine, tokenizer, header, name
        self.recommended = recommended(header.metadata)
        self.defaults = Defaults.of(engine.parameters, self.recommended)
        self._prompts, self._forms = Prompts(tokenizer, template), Forms(tokenizer)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.kind}, {self.parameters / 1e6:,.1f} M parameters)"

    def destroy(self) -> None:
        """Give all GPU memory back."""
        self._engine.destroy()

    @property
    def config(self) -> Config:
        """The model's hyper-parameters."""
        return self._engine.config

    @property
    def parameters(self) -> int:
        """How many numbers its tensors hold."""
        return self._engine.parameters

    @property
    def context(self) -> int:
        """The most tokens of a conversation, or of a text to embed."""
        return self._engine.context

    @property
    def kind(self) -> Literal["chat", "embedding", "reranker"]:
        """What the model is for."""
        return kind_of(self.config)

    @property
    def runner(self) -> Runner:
        """What generates. Raises WgmlError for a model that embeds."""
        if isinstance(self._engine, Embedder):
            raise WgmlError(f"{quoted(self.name)} {CANNOT[self.kind]}: it generates no text")
        return self._engine

    @property
    def embedder(self) -> Embedder:
        """What embeds. Raises WgmlError for a model that generates."""
        if isinstance(self._engine, Runner):
            raise WgmlError(f"{quoted(self.name)} {CANNOT['chat']}; loaded with a pooling it makes vectors instead")
        return self._engine

    @property
    def template(self) -> ChatTemplate:
        """The chat template; another one may be put in its place."""
        return self._prompts.template

    @template.setter
    def template(self, template: ChatTemplate) -> None:
        self._prompts.template = template

    @property
    def answer_format(self) -> AnswerFormat:
        """How the model writes its answers, by its template and its vocabulary."""
        return self._prompts.format_of(self.template)

    def prompt_text(self, messages: Iterable[Message], /, tools: Tools | None = None, **variables: object) -> str:
        """A conversation up to where the assistant answers; a last message of its own is to be gone on with.

        What a strict template would refuse is put in a form that it takes, with nothing lost: see chat/turns.py.
        variables: `chat_template`, the name of one of the file's templates (default "tool_use" where there are tools
        and it exists), and the template's own, such as `enable_thinking`. Raises WgmlError as the template does, for
        what is no conversation, and for calls whose results are still to come; ContextError where it can't fit the
        context.
        """
        return self._prompts.written(messages, self.runner.context, {"tools": tools, **variables}).text

    def prompt(self, messages: Iterable[Message], /, tools: Tools | None = None, **variables: object) -> list[int]:
        """The token ids of `prompt_text`."""
        return self._prompts.ids(self.prompt_text(messages, tools, **variables))

    def overflow(self, messages: Iterable[Message], /, tools: Tools | None = None, **variables: object) -> int:
        """How many messages `generate` leaves out with `drop_oldest`: the oldest behind the system's, which stay; 0
        where nothing has to go.

        tools, variables: as for `prompt_text`, and so are the errors raised.
        """
        return self._prompts.fitting(messages, self.runner.context, {"tools": tools, **variables}).dropped

    def answered(
        self,
        messages: Iterable[Message],
        /,
        *,
        drop_oldest: bool = False,
        tools: Tools | None = None,
        **variables: object,
    ) -> tuple[list[int], int]:
        """The token ids of a conversation whose last message is the assistant's, as it was generated, and where among
        them that begins. (Its text is cut into tokens anew: where the model had written it in other ones, they differ.)

        The rest as for `prompt_text` and `generate`, and so are the errors raised.
        """
        return self._prompts.answered(messages, self.runner.context, {"tools": tools, **variables}, drop_oldest)

    @property
    def source(self) -> str:
        """The Python of the model, whose `forward` makes its step: of its family, or as it was rewritten. Raises
        WgmlError where the package is compiled and has none."""
        from .models.rewritten import source_of

        return self.rewritten or source_of(self.family)

    @property
    def rewritten(self) -> str | None:
        """What runs in the place of the family's text, if anything does."""
        return self.runner.rewritten

    @property
    def family(self) -> str:
        """What the file of the model's family in py_wgml/models is called, without its suffix."""
        return FAMILIES[self.runner.config.architecture]


def kind_of(config: Config) -> Literal["chat", "embedding", "reranker"]:
    """What a model is for."""
    if config.pooling is None:
        return "chat"
    return "reranker" if config.ranks else "embedding"


def prepare(
    header: Header, context: int | None = None, pooling: Pooling | None = None
) -> tuple[Config, Tokenizer, ChatTemplate, str]:
    """What is made of a header alone, and the name that it gives. Raises WgmlError where it shows that the model can't
    be run."""
    config, *_ = plan(header, context, pooling)
    metadata = Metadata(header.metadata)
    name = metadata.text("general.name", most=MAX_NAME)
    count = len(metadata.strings("tokenizer.ggml.tokens") or ())
    if count and count != config.vocabulary:
        raise WgmlError(f"the file has {count} tokens, but an embedding of {config.vocabulary}")
    tokenizer = from_metadata(header.metadata)
    bos, eos = (token_text(tokenizer, id) for id in (tokenizer.bos_id, tokenizer.eos_id))
    return config, tokenizer, ChatTemplate.from_metadata(header.metadata, bos, eos), name
