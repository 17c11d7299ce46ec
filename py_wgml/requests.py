"""What models are and what they are asked with: the types of messages to the engine that protocol.py is made of."""

from typing import Any, Literal, NotRequired, TypedDict

from .facts import TrialFacts

File = Any  # a browser's


class FilePart(TypedDict):
    """A piece of a file."""

    url: str
    bytes: int


class ModelSource(TypedDict):
    """Where a model comes from: an address, or a file of the visitor's."""

    name: str
    """What people call it, shown in the page."""
    url: NotRequired[str]
    """An absolute URL. Either this or `file`."""
    file: NotRequired[File]
    """A file that the visitor chose. Either this or `url`."""
    parts: NotRequired[list[FilePart]]
    """Where it lies in pieces one behind the other, for hosts that limit a file's size: `url` is only its name then."""
    rest: NotRequired["list[ModelSource]"]
    """The files after this one of a split model (name-00002-of-00003.gguf and so on), each a GGUF file of its own."""
    model: NotRequired[str]
    """Of a file of `rest`: the `url` of the first one."""
    bytes: NotRequired[int]
    """Its size, where known beforehand; what the server says goes before it."""
    sha256: NotRequired[str]


class TextPart(TypedDict):
    """A part of a message's content."""

    type: Literal["text"]
    text: str


class Call(TypedDict):
    """A function, and what it is called with."""

    name: str
    arguments: str | dict[str, Any]
    """In JSON, or the object itself."""


class ToolCall(TypedDict):
    """What an assistant's message calls."""

    id: NotRequired[str]
    type: Literal["function"]
    function: Call


class ChatMessage(TypedDict):
    """One message of a conversation."""

    role: Literal["system", "user", "assistant", "tool", "developer", "function"]
    """"developer" is the system's, "function" a tool's."""
    content: str | list[TextPart] | None
    """Text, whole or in parts; null in a message that only calls."""
    reasoning_content: NotRequired[str]
    """What the model thought before it said `content`; templates that know it leave it out of later turns."""
    tool_calls: NotRequired[list[ToolCall]]
    """The assistant's: functions that it calls."""
    tool_call_id: NotRequired[str]
    """A tool's: which call it answers."""


class Sampling(TypedDict, total=False):
    """How the next token is chosen. What is left out or null is the engine's default."""

    temperature: float | None
    top_k: int | None
    top_p: float | None
    min_p: float | None
    repetition_penalty: float | None
    penalty_window: int | None
    """The last so many tokens count as repeated; -1: all."""
    presence_penalty: float | None
    frequency_penalty: float | None
    logit_bias: dict[str, float] | None
    """Added to the logits of tokens, by their ids."""
    top_n_sigma: float | None
    typical_p: float | None
    xtc_probability: float | None
    xtc_threshold: float | None
    dry_multiplier: float | None
    dry_base: float | None
    dry_allowed_length: int | None
    dry_penalty_last_n: int | None
    dry_sequence_breakers: list[str] | None
    mirostat: Literal[0, 2] | None
    mirostat_tau: float | None
    mirostat_eta: float | None
    dynatemp_range: float | None
    dynatemp_exponent: float | None
    seed: int | None
    """null: a random one."""
    max_tokens: int | None
    """null: until the model ends its answer."""
    stop: str | list[str] | None
    logprobs: bool | None
    """Tell how likely each token was: `Piece.logprobs`."""
    top_logprobs: int | None
    """And so many of the likeliest in its place, at most 20."""


class ToolFunction(TypedDict):
    """What a model may call."""

    name: str
    description: NotRequired[str]
    parameters: NotRequired[dict[str, Any]]
    """A JSON schema."""


class Tool(TypedDict):
    """A function that the model may call."""

    type: Literal["function"]
    function: ToolFunction


class ToolName(TypedDict):
    """A function by its name."""

    name: str


class ToolChoice(TypedDict):
    """One of the tools, to be called."""

    type: Literal["function"]
    function: ToolName


class TemplateOptions(TypedDict, total=False):
    """What the model's chat template is given beside the messages."""

    tools: list[Tool]
    tool_choice: Literal["auto", "none", "required"] | ToolChoice | None
    """Whether the model calls functions: as it sees fit (null, "auto"), never, some, or the one named."""
    parallel_tool_calls: bool | None
    """False: at most one call in an answer."""
    chat_template: str | None
    """The name of one of the file's templates, such as "rag"; default: "tool_use", if it is there and tools are."""
    chat_template_kwargs: dict[str, Any]
    """The template's further variables, such as `enable_thinking`."""


class FormOptions(TypedDict, total=False):
    """What the answer is to be, whatever the model would write: one of these at most."""

    schema: dict[str, Any] | bool | str | None
    """JSON that fits a JSON schema, as an object or as its text."""
    regex: str | None
    """What matches a regular expression as a whole."""
    choices: list[str] | None
    """One of these texts."""
    grammar: str | None
    """A text of a grammar in GBNF."""


class AnswerOptions(Sampling, TemplateOptions, FormOptions, total=False):
    """What an answer is asked for with."""


class LoadOptions(TypedDict, total=False):
    """What is left out is as the model and the device have it."""

    context: int
    cache_bits: Literal[8, 16]
    """Of each number of the context's cache; 8: half the memory of 16, which is the default."""
    pooling: Literal["mean", "cls", "last"] | None
    """Of which of a text's rows its vector is made; a model that generates then embeds instead."""
    chat: bool
    """Refuse a model that does not generate."""
    beside: bool
    """A model that makes vectors, beside the one that there is, which stays: documents are searched with it."""
    trial: TrialFacts | None
    """What an earlier load has told, so that it need not be found out again."""


class BenchOptions(TypedDict):
    """What is measured: prompts of these lengths, cut to the context, and what is generated; or so many texts."""

    prompt_tokens: list[int]
    prompt_repetitions: int
    generate_tokens: int
    repetitions: int
    contexts: list[int]
    """Tokens of conversation at which generation is measured."""
    texts: int
