"""A look inside a model for the page: an answer token by token, where it looked, what its time goes to, its Python."""

import json
from codecs import getincrementaldecoder
from collections.abc import Mapping, Sequence
from typing import Any

from .chat import read
from .errors import WgmlError
from .insight import Attended, Inspected, Likely, Profiled, Rewritten, Spelled
from .model import Model
from .models.rewritten import ForwardError, source_of
from .requests import TemplateOptions
from .values import flag, integer, known, mapping, text

_TOP = 5


class Inside:
    """Answers what is asked about one model. files: see Session."""

    def __init__(self, files: Any) -> None:
        self._files = files
        self._sources: dict[str, str] | None = None

    async def reply(
        self, model: Model, id: int, request: Mapping[str, Any]
    ) -> Inspected | Attended | Spelled | Profiled | Rewritten:
        """The reply to a request of insight.py. Raises WgmlError for what can't be answered."""
        match request["type"]:
            case "inspect":
                return await self._inspect(model, id, *_answer(model, request))
            case "attend":
                return await self._attend(model, id, request)
            case "spell":
                return _spelled(model, id, *_answer(model, request))
            case "profile":
                return await self._profile(model, id)
            case _:
                return await self._rewrite(model, id, request)

    async def _inspect(self, model: Model, id: int, ids: Sequence[int], first: int) -> Inspected:
        found = await model.inspect(ids, top=_TOP, first=first - 1)
        decoder = getincrementaldecoder("utf-8")(errors="replace")
        texts = [decoder.decode(model.tokenizer.token_bytes(token)) for token in ids]
        likeliest: list[list[Likely]] = [
            [
                {"text": _text(model.tokenizer.token_bytes(token)), "logprob": logprob}
                for token, logprob in zip(tokens, logprobs, strict=True)
            ]
            for tokens, logprobs in zip(found.likeliest.tolist(), found.logprobs.tolist(), strict=True)
        ]
        rows = zip(texts[first:], found.came.tolist(), likeliest, strict=False)  # the last came from nowhere yet
        return {
            "type": "inspected",
            "id": id,
            "prompt": texts[:first],
            "answer": [{"text": said, "logprob": logprob, "likeliest": row} for said, logprob, row in rows],
            "next": likeliest[-1],
            "attending": [{"layer": layer, "heads": heads} for layer, heads in model.runner.attending.items()],
        }

    async def _attend(self, model: Model, id: int, request: Mapping[str, Any]) -> Attended:
        ids, first = _answer(model, request)
        token = integer("token", request.get("token"), 0, len(ids) - first - 1)
        at, layer, head = first + token, integer("layer", request.get("layer"), 0), request.get("head")
        found = await model.inspect(ids, layer, head, top=1, first=at - 1, end=at)
        assert found.attention is not None
        weights = found.attention if head is not None else found.attention.mean(axis=0)
        return {"type": "attended", "id": id, "weights": weights[0].tolist()}

    async def _profile(self, model: Model, id: int) -> Profiled:
        try:
            kinds = await model.profile_token()
        except WgmlError as error:
            return {"type": "profiled", "id": id, "dispatches": [], "reason": str(error)}
        return {
            "type": "profiled",
            "id": id,
            "dispatches": [{**vars(kind), "workgroups": [*kind.workgroups]} for kind in kinds],  # type: ignore[typeddict-item]
            "reason": None,
        }

    async def _rewrite(self, model: Model, id: int, request: Mapping[str, Any]) -> Rewritten:
        if self._sources is None:
            self._sources = json.loads(await self._files.text("families.json"))
        original, problem = source_of(model.family, self._sources.__getitem__), None
        if "text" in request:
            wanted = None if request["text"] is None else text("text", request["text"])
            try:
                await model.rewrite(None if wanted == original else wanted)
            except ForwardError as error:
                problem = error.traceback
            except WgmlError as error:
                problem = str(error)
        now = model.rewritten or original
        return {
            "type": "rewritten",
            "id": id,
            "file": f"{model.family}.py",
            "text": now,
            "original": original,
            "problem": problem,
        }


def _text(data: bytes) -> str:
    """What a token says by itself; bytes where it is a part of a character."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "".join(f"<0x{byte:02X}>" for byte in data)


def _spelled(model: Model, id: int, ids: list[int], first: int) -> Spelled:
    parts = [model.tokenizer.token_bytes(token) for token in ids]
    return {
        "type": "spelled",
        "id": id,
        "ids": ids,
        "data": b"".join(parts),
        "lengths": [len(part) for part in parts],
        "special": [index for index, token in enumerate(ids) if model.tokenizer.is_special(token)],
        "answer": first,
    }


def _answer(model: Model, request: Mapping[str, Any]) -> tuple[list[int], int]:
    options = mapping("options", request.get("options"))
    known(options, TemplateOptions.__annotations__)
    messages = read(request.get("messages"))
    return model.answered(messages, drop_oldest=flag("drop_oldest", request.get("drop_oldest")), **options)
