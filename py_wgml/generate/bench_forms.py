"""What answers in a form cost: beside answers in none, and to make ready."""

import time
from collections.abc import Callable
from typing import Any

from ..errors import ContextError
from .bench import spread
from .generation import Generation
from .runner import Runner

_TEXT: dict[str, Any] = {"type": "string"}
_COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": [*properties],
        "additionalProperties": False,
    }


def _listed(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


SCHEMAS = {
    "call of a function": _object(
        name={"enum": ["get_weather", "search", "send_mail"]},
        arguments=_object(city=_TEXT, unit={"enum": ["celsius", "fahrenheit"]}, days={**_COUNT, "maximum": 14}),
    ),
    "contact": _object(
        name=_TEXT,
        mail={"type": "string", "format": "email"},
        phone={"type": "string", "pattern": r"^\+?[0-9 ]{6,16}$"},
        born={"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
    ),
    "invoice": _object(
        number={"type": "string", "pattern": "^[A-Z]{2}-[0-9]{6}$"},
        issued={"type": "string", "format": "date"},
        lines=_listed(_object(text={"type": "string", "maxLength": 80}, count=_COUNT, price={"type": "number"})),
        paid={"type": "boolean"},
    ),
    "opinions": _object(
        opinions=_listed(
            _object(about=_TEXT, mood={"enum": ["good", "bad", "mixed"]}, stars={**_COUNT, "maximum": 5}, quote=_TEXT)
        )
    ),
    "tree": {
        "$defs": {"node": _object(name=_TEXT, children=_listed({"$ref": "#/$defs/node"}))},
        "$ref": "#/$defs/node",
    },
}
"""Schemas as they are asked for, by what they are of."""

_LONG = {"type": "array", "items": _TEXT, "minItems": 100}  # an answer that does not end by itself, with little forced
_QUESTION = [{"role": "user", "content": "Write down everything that you see on a walk through a town, as a list."}]


async def measure_forms(
    runner: Runner, generate: Callable[..., Generation], generate_tokens: int, repetitions: int
) -> dict[str, Any]:
    """Answer with and without a schema, `repetitions` times in turn. generate: that of the runner's model.

    Returns tokens a second of both, the share that is left with one, and of each of SCHEMAS the milliseconds until its
    tables were made and how many states they have; `texts_ms` are those of the vocabulary, once a model; the bytes on
    the GPU. Nothing where the question does not fit the context.
    """
    began = time.perf_counter()
    try:
        generate(_QUESTION)
        plain = time.perf_counter() - began
        began = time.perf_counter()
        generate(_QUESTION, choices=["yes"])
        texts = time.perf_counter() - began - plain
    except ContextError:
        return {}
    compiled = {}
    for name, schema in SCHEMAS.items():
        began = time.perf_counter()
        made = generate(_QUESTION, schema=schema)
        compiled[name] = {"ms": 1e3 * (time.perf_counter() - began - plain), "states": made.states}

    async def rate(schema: Any) -> float:
        made = generate(_QUESTION, schema=schema, max_tokens=generate_tokens, temperature=1.0, seed=1)
        async for _ in made:
            pass
        return made.usage.decode_rate

    await rate(_LONG)  # the first use
    pairs = [(await rate(_LONG), await rate(None)) for _ in range(repetitions)]
    held, free = (spread(rates) for rates in zip(*pairs, strict=True))
    return {
        "tokens_per_second": held,
        "tokens_per_second_without": free,
        "share": held["median"] / free["median"],
        "texts_ms": 1e3 * texts,
        "compiled": compiled,
        "gpu_bytes": runner.steps.masks.nbytes,
    }
