"""What a file recommends its model to be sampled with, and what is believed of it."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from typing import Any

import gpus
import pytest
import tiny

from py_wgml.loaded import Defaults, recommended
from py_wgml.model import Model

SAID: dict[str, tuple[Any, dict[str, Any]]] = {  # by its name: what the file says, and what is believed
    "nothing": ({}, {}),
    "all": (
        {"temp": 0.6000000238418579, "top_k": 20, "top_p": 0.949999988079071, "min_p": 0.0, "penalty_repeat": 1.05},
        {"temperature": 0.6, "top_k": 20, "top_p": 0.95, "min_p": 0.0, "repetition_penalty": 1.05},
    ),
    "some": ({"temp": 1, "top_k": 64.0}, {"temperature": 1.0, "top_k": 64}),
    "others": ({"sequence": "temperature", "mirostat": 2, "temp": 0.5}, {"temperature": 0.5}),
    "nonsense": (
        {"temp": -1.0, "top_k": 1 << 40, "top_p": math.nan, "min_p": math.inf, "penalty_repeat": "much"},
        {},
    ),
    "nonsense beside sense": ({"temp": 0.0, "top_p": 0.0, "top_k": True, "min_p": [0.1]}, {"temperature": 0.0}),
}


@pytest.mark.parametrize("name", SAID)
def test_what_is_believed(name: str) -> None:
    said, believed = SAID[name]
    assert recommended({f"general.sampling.{key}": value for key, value in said.items()}) == believed


def test_what_a_file_leaves_open_is_by_size() -> None:
    assert Defaults.of(10**8, {}) == Defaults(temperature=0.0, repetition_penalty=1.1)
    assert Defaults.of(10**8, {"temperature": 0.3}) == Defaults(temperature=0.3, repetition_penalty=1.1)
    assert Defaults.of(10**10, {"top_k": 20}) == Defaults(top_k=20)


def test_a_model_is_asked_as_its_file_recommends(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    tiny.write_tiny_llama(path, metadata={"general.sampling.temp": 0.3, "general.sampling.top_k": 2_000_000})
    model = asyncio.run(Model.load(path, device=gpus.device("naga"), on_progress=False))
    assert model.recommended == {"temperature": pytest.approx(0.3)}
    assert model.defaults.top_k == 40
    model.destroy()
