"""Models that must call do, however small they are."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from chat.test_calls import OWN
from tiny import write_tiny_llama

from py_wgml import Model, Options, WgmlError, arguments_of
from py_wgml.chat import ChatTemplate
from py_wgml.gpu import Device

PLACE = {"type": "object", "properties": {"at": {"type": "string", "maxLength": 5}}, "required": ["at"]}
SUM = {"type": "object", "properties": {"a": {"enum": [1, 2, 3]}}, "required": ["a"]}
TOOLS: list[dict[str, Any]] = [
    {"type": "function", "function": {"name": name, "parameters": parameters}}
    for name, parameters in (("weather", PLACE), ("calculate", SUM))
]
SCHEMAS = {"weather": PLACE, "calculate": SUM}


def run(path: Path, device: Device, scenario: Any) -> None:
    async def main() -> None:
        model = await Model.load(path, device=device)
        try:
            await scenario(model)
        finally:
            model.destroy()

    asyncio.run(main())


@pytest.mark.parametrize("name", ["none", "lfm 2"])
def test_a_conversation_with_tools(name: str, tmp_path: Path, device: Device) -> None:
    async def scenario(model: Model) -> None:
        if name != "none":  # the template knows of tools
            model.template = ChatTemplate(OWN[name], "<s>", "</s>")
        named = {"type": "function", "function": {"name": "calculate"}}
        chat = model.chat()
        said: Any = "Warm in Rome?"
        choices: list[Any] = ["required", named]
        for seed, choice in enumerate(choices):
            options: Options = {"tools": TOOLS, "tool_choice": choice, "temperature": 1.5, "max_tokens": 200}
            options["seed"] = seed
            pieces = [piece async for piece in chat.send(said, **options)]
            assert chat.last
            assert (pieces, chat.last.reason) == ([], "tool_calls")
            [call] = chat.messages[-1]["tool_calls"]
            function = call["function"]
            jsonschema.validate(arguments_of(call), SCHEMAS[function["name"]])
            assert choice == "required" or function["name"] == "calculate"
            said = [{"role": "tool", "tool_call_id": call["id"], "content": "21"}]

    run(write_tiny_llama(tmp_path / "tiny.gguf", context=4096), device, scenario)


def test_choices_of_tools(tmp_path: Path, device: Device) -> None:
    async def scenario(model: Model) -> None:
        question = [{"role": "user", "content": "Hi"}]
        without = model.generate(question, tools=TOOLS, tool_choice="none").usage.prompt_tokens
        assert without == model.generate(question).usage.prompt_tokens
        assert without < model.generate(question, tools=TOOLS).usage.prompt_tokens
        with pytest.raises(WgmlError, match="can't have another form: regex"):
            model.generate(question, tools=TOOLS, tool_choice="required", regex="a")

    run(write_tiny_llama(tmp_path / "tiny.gguf", context=4096), device, scenario)
