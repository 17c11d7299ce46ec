"""Conversations in which a model has to call functions, however small it is, and by whatever chance.

python3 tests/generate/required_calls.py [SEEDS]    SmolLM2, on the WebGPU of this machine: how many of so many
                                                    conversations (default 20) are valid in each turn
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]
    from web.build.environment import in_venv

    in_venv("test")

if TYPE_CHECKING:
    from py_wgml import Model

TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather in a city.",
            "parameters": {
                "type": "object",
                "properties": {
                    "city": {"type": "string", "minLength": 1, "maxLength": 40},
                    "unit": {"enum": ["celsius", "fahrenheit"]},
                },
                "required": ["city", "unit"],
                "additionalProperties": False,
            },
        },
    },
    {
        "type": "function",
        "function": {
            "name": "add_event",
            "description": "Write an event into the calendar.",
            "parameters": {
                "type": "object",
                "properties": {
                    "title": {"type": "string", "maxLength": 40},
                    "date": {"type": "string", "format": "date"},
                    "minutes": {"type": "integer", "minimum": 5, "maximum": 600},
                },
                "required": ["title", "date"],
                "additionalProperties": False,
            },
        },
    },
]
QUESTIONS = (
    "What is the weather in Oslo?",
    "Put a walk with Ada into my calendar, on the 3rd of May 2027.",
    "And what is the weather in Rome?",
)


async def converse(model: Model, seed: int, temperature: float) -> list[str]:
    """Three turns, with the result of each call told to the model; what is wrong with any of the calls."""
    import jsonschema

    from py_wgml import Options, arguments_of

    parameters = {tool["function"]["name"]: tool["function"]["parameters"] for tool in TOOLS}
    chat, wrong, results = model.chat(), list[str](), list[dict[str, Any]]()
    for turn, question in enumerate(QUESTIONS):
        said = [*results, {"role": "user", "content": question}]
        options: Options = {"tools": TOOLS, "tool_choice": "required", "temperature": temperature, "seed": seed}
        options["max_tokens"] = 200
        async for text in chat.send(said, **options):
            wrong.append(f"turn {turn} says {text!r}")
        assert chat.last is not None
        if chat.last.reason != "tool_calls":
            wrong.append(f"turn {turn} ended by {chat.last.reason}")
        for call in chat.last.tool_calls:
            name, arguments = call["function"]["name"], arguments_of(call)
            if name not in parameters:
                wrong.append(f"turn {turn} calls {name!r}")
            elif error := jsonschema.exceptions.best_match(
                jsonschema.Draft202012Validator(parameters[name]).iter_errors(arguments)
            ):
                wrong.append(f"turn {turn}: {error.message}")
        results = [
            {"role": "tool", "tool_call_id": call["id"], "content": "done"} for call in chat.messages[-1]["tool_calls"]
        ]
    return wrong


async def _main(seeds: int) -> None:
    from py_wgml import Model
    from web.build.models import default_model

    model = await Model.load(default_model().path, context=2048)
    whole = 0
    for seed in range(seeds):
        wrong = await converse(model, seed, 1.0)
        whole += not wrong
        print(f"seed {seed}: {'; '.join(wrong) or 'valid'}", flush=True)
    model.destroy()
    print(f"{whole} of {seeds} conversations are valid in each turn")


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
