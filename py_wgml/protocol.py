"""What the page and its worker say to each other. web/shared/protocol.d.ts is made of this file, of requests.py and
of facts.py.

The page owns the conversation and sends the whole of it with each question; the engine finds the part that it has
already processed. Times are seconds, sizes are bytes.
"""

from typing import Any, Literal, NotRequired, TypedDict

from .facts import AdapterFacts, FileFacts
from .findings import Consult, Consulted, Cut, Passages
from .insight import Attend, Attended, Inspect, Inspected, Profile, Profiled, Rewrite, Rewritten, Spell, Spelled
from .requests import AnswerOptions, BenchOptions, ChatMessage, LoadOptions, ModelSource, Sampling

# From the page: what has one reply


class Load(TypedDict):
    """Answered by Ready."""

    type: Literal["load"]
    id: int
    model: ModelSource
    options: LoadOptions


class Resolve(TypedDict):
    """What a person means who names a model. Answered by Resolved, in JavaScript."""

    type: Literal["resolve"]
    id: int
    reference: str


class AskRoom(TypedDict):
    """Whether the GPU has so many bytes. Answered by Room, in JavaScript."""

    type: Literal["room"]
    id: int
    bytes: int


class Search(TypedDict):
    """Repositories of GGUF files on Hugging Face, by words. Answered by Found, in JavaScript."""

    type: Literal["search"]
    id: int
    query: str


class Browse(TypedDict):
    """The models of one of them. Answered by Browsed, in JavaScript."""

    type: Literal["browse"]
    id: int
    repository: str


class AskGenerationConfig(TypedDict):
    """How a model of the hub is best sampled. Answered by GenerationConfigured, in JavaScript."""

    type: Literal["generation_config"]
    id: int
    repository: str


class AskCard(TypedDict):
    """Answered by Card."""

    type: Literal["card"]
    id: int


class Bench(BenchOptions):
    """Answered by BenchFigures."""

    type: Literal["bench"]
    id: int


class Embed(TypedDict):
    """Answered by Embedded."""

    type: Literal["embed"]
    id: int
    texts: list[str]
    dimensions: NotRequired[int | None]
    """Of the vectors, the first so many; null: all."""
    beside: NotRequired[bool]
    """By the model that was loaded beside the other one."""


class Rerank(TypedDict):
    """Answered by Ranked."""

    type: Literal["rerank"]
    id: int
    query: str
    documents: list[str]


# From the page: the rest


class Send(TypedDict):
    """Answer a conversation. If its last message is the assistant's, that is gone on with."""

    type: Literal["send"]
    id: int
    messages: list[ChatMessage]
    sampling: AnswerOptions
    drop_oldest: NotRequired[bool]
    """Leave the oldest messages out where the conversation is longer than the context, instead of failing."""
    marks: NotRequired[bool]
    """Tell with the first piece when what it waited for was done."""


class StopAnswer(TypedDict):
    """End the answer with this id; it still ends by Done."""

    type: Literal["stop"]
    id: int


class Pause(TypedDict):
    """Let the download under way rest, or go on. For JavaScript."""

    type: Literal["pause"]
    paused: bool


class Cancel(TypedDict):
    """Give up the download under way. For JavaScript."""

    type: Literal["cancel"]


class Ping(TypedDict):
    """Whether the worker is alive: Alive. One whose Python hangs does not answer."""

    type: Literal["ping"]


Asked = (
    Load
    | Resolve
    | AskRoom
    | Search
    | Browse
    | AskGenerationConfig
    | AskCard
    | Bench
    | Embed
    | Rerank
    | Cut
    | Consult
    | Inspect
    | Attend
    | Spell
    | Profile
    | Rewrite
)
Request = Asked | Send | StopAnswer | Pause | Cancel | Ping

# From the worker: on the way to a loaded model

Stage = Literal["runtime", "packages", "download", "header", "weights", "kernels"]
"""`runtime`, `packages`, `header`, `kernels`: 0 or 1 of 1. `download`: bytes that have arrived of the model; runs
beside the others, and is not reported for a copy kept on the device. `weights`: bytes on the GPU."""


class Progress(TypedDict):
    """How far a load has come."""

    type: Literal["progress"]
    stage: Stage
    loaded: int
    total: int
    """0: not known."""


class ModelFacts(TypedDict):
    """What a loaded model is."""

    name: str
    kind: Literal["chat", "embedding", "reranker"]
    architecture: str
    parameters: int
    file_bytes: int
    context_length: int
    vocab_size: int
    quantization: str


class SessionSeconds(TypedDict):
    """What a load took in the engine."""

    header: float
    weights: float
    kernels: float


class LoadSeconds(SessionSeconds):
    """What a load took, with what worker.js measures: `total` since the worker began."""

    runtime: float
    packages: float
    total: float


class About(TypedDict):
    """What is known of a loaded model."""

    type: Literal["ready"]
    id: int
    model: ModelFacts
    adapter: AdapterFacts
    gpu_bytes: int
    sampling: Sampling
    """What suits it where nobody says otherwise."""
    recommended: list[str]
    """Members of `sampling` that the model's file itself recommends."""
    thinking: Literal["on", "off", "free", "fixed"]
    """Whether it thinks before it answers where nobody tells it: "free": it decides, "fixed": it can't be told."""
    efforts: list[str]
    """How much it may be told to think, by `reasoning_effort`: what it tells apart of "low", "medium", "high"."""
    effort: str
    """Which of them it takes where nobody tells it; empty: none."""


class SessionReady(About):
    """A Ready as the engine has it; worker.js adds the rest."""

    seconds: SessionSeconds


class Ready(About):
    """The model can be asked."""

    seconds: LoadSeconds
    heap_peak_bytes: int
    restored: bool
    """Whether Python began with the memory that an earlier visit has kept, and not with its files."""
    kept: bool
    """Whether a copy of the model is on this device now, so that the next visit needs no download."""


# From the worker: an answer


class Dropped(TypedDict):
    """The oldest messages (after the system's) that were left out of the prompt, if any were."""

    type: Literal["dropped"]
    id: int
    messages: int


class Reading(TypedDict):
    """Tokens of the prompt that are processed, kept ones too; told as an answer begins and while a prompt is read."""

    type: Literal["reading"]
    id: int
    done: int
    total: int


class CallPiece(TypedDict):
    """What has come of a call of a function. The first piece of a call has its id and its name, which are empty in the
    others."""

    index: int
    """Of the call in its answer, from 0."""
    id: str
    name: str
    arguments: str
    """More of their JSON text."""


class LikelyToken(TypedDict):
    """A token that might have been picked."""

    token: str
    """Its text alone, with U+FFFD for what is no whole character."""
    bytes: list[int]
    logprob: float
    """The natural logarithm of the probability that the model gave it."""


class TokenLogprob(LikelyToken):
    """A token of an answer."""

    top_logprobs: list[LikelyToken]


class Piece(TypedDict):
    """What has come of an answer since the last piece: `reasoning`, `text`, `calls`."""

    type: Literal["piece"]
    id: int
    text: str
    reasoning: str
    recast: bool
    """All text of the pieces before has turned out to be reasoning as well."""
    tokens: int  # generated so far
    calls: NotRequired[list[CallPiece]]
    """Of functions among the `tools` that were given, if there are any."""
    logprobs: NotRequired[list[TokenLogprob]]
    """Of the tokens since the last piece, if asked for."""
    marks: NotRequired[dict[str, float]]
    """Of the first, if asked for: what was done when, seconds; worker.js makes milliseconds since 1970 of them."""


class Usage(TypedDict):
    """Tokens of an answer and of its prompt."""

    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    drafted_tokens: int
    accepted_tokens: int
    """Of those drafted: guessed by what the conversation holds, and checked several at once."""
    forced_tokens: int
    """That alone could follow in the form that was asked for, and were taken without a choice."""
    context_used: int
    context_length: int


class AnswerSeconds(TypedDict):
    """What an answer took."""

    first_token: float
    prefill: float
    decode: float


class Rates(TypedDict):
    """Tokens a second."""

    prefill: float
    decode: float


Reason = Literal["stop", "tool_calls", "length", "stopped", "context"]
"""Why an answer ended: at an end of the model's or a given one ("tool_calls": it calls functions), at the most tokens,
when told to, at a full context."""


class Done(TypedDict):
    """An answer has ended."""

    type: Literal["done"]
    id: int
    reason: Reason
    depth: NotRequired[int]
    """To which depth what may contain itself does so in the form that was asked for, where that had to be bounded."""
    usage: Usage
    seconds: AnswerSeconds
    tokens_per_second: Rates


class ErrorReply(TypedDict):
    """What could not be done."""

    type: Literal["error"]
    id: NotRequired[int]
    """Of the request it is about; absent when the engine as a whole has failed."""
    stage: str
    """A Stage; the type of the request; "cancelled"; "context": the conversation is too long; "unsupported": no WebGPU;
    "gpu": it was lost, "memory": it has too little; "hung": the worker does not answer any more."""
    message: str
    """One line that a person understands."""
    loaded: NotRequired[bool]
    """Whether there is a model to go on with; of a `load`, the one from before."""


# From the worker: the other replies


class HubRepository(TypedDict):
    """A repository on Hugging Face that has GGUF files."""

    name: str
    """owner/repository"""
    downloads: int
    """In the last month."""
    license: NotRequired[str]
    gated: bool
    """Only for those who have agreed to its terms there."""


class Found(TypedDict):
    """The reply to Search: those downloaded most first."""

    type: Literal["found"]
    id: int
    repositories: list[HubRepository]


class Browsed(TypedDict):
    """The reply to Browse: the models that lie in one file each, the smallest first."""

    type: Literal["browsed"]
    id: int
    architecture: NotRequired[str]
    """As the hub has read it from one of them."""
    models: list[ModelSource]


class GenerationConfigured(TypedDict):
    """The reply to AskGenerationConfig."""

    type: Literal["generation_configured"]
    id: int
    config: dict[str, Any]
    """The file of that name, whatever is in it: its repository's, or that of the model which it was made of; or {}."""


class Resolved(TypedDict):
    """The reply to Resolve."""

    type: Literal["resolved"]
    id: int
    model: ModelSource


class Room(TypedDict):
    """The reply to AskRoom."""

    type: Literal["room"]
    id: int
    enough: bool


class Card(TypedDict):
    """The reply to AskCard."""

    type: Literal["card"]
    id: int
    card: FileFacts


class BenchFigures(TypedDict):
    """The reply to Bench."""

    type: Literal["bench"]
    id: int
    figures: dict[str, Any]
    """Those of `py_wgml.generate.bench.measure` (as "speculation" of `measure_speculation`, as "forms"
    of `measure_forms`), or `measure_embedding`."""


class Embedded(TypedDict):
    """The reply to Embed."""

    type: Literal["embedded"]
    id: int
    vectors: bytes
    """float32, one vector behind the other, each of length 1 (or 0)."""
    width: int
    tokens: int


class Ranked(TypedDict):
    """The reply to Rerank."""

    type: Literal["ranked"]
    id: int
    scores: list[float]
    """From 0 to 1, one for each document."""
    tokens: int


class Alive(TypedDict):
    """The reply to Ping."""

    type: Literal["alive"]


Looked = Inspected | Attended | Spelled | Profiled | Rewritten
Searched = Passages | Consulted
Told = (
    Looked
    | Searched
    | Progress
    | Card
    | BenchFigures
    | Embedded
    | Ranked
    | Dropped
    | Reading
    | Piece
    | Done
    | ErrorReply
)
SessionReply = Told | SessionReady
"""What the engine says; worker.js makes a Ready of a SessionReady."""
Reply = Told | Ready | Resolved | Room | Found | Browsed | GenerationConfigured | Alive
