"""Gemma 3's vocabulary of 262,144 tokens: where the file (PY_WGML_GEMMA) and its reference ids are at hand."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from work import counted

from py_wgml.gguf_model import read_header
from py_wgml.tokenizer import from_metadata

TRUTH = Path(__file__).parents[3] / "shared" / "truth" / "gemma-3-270m-q4_k_m.hf-f32.json"
MODEL = os.environ.get("PY_WGML_GEMMA")
LINES: list[str] = json.loads((Path(__file__).parent / "torture.json").read_text(encoding="utf-8"))

pytestmark = pytest.mark.skipif(not MODEL or not TRUTH.exists(), reason="needs PY_WGML_GEMMA and the reference ids")


@pytest.fixture(scope="module")
def metadata() -> dict[str, Any]:
    assert MODEL
    return read_header(MODEL).metadata


@pytest.mark.parametrize("backend", ["python", "tokenizers"])
def test_ids(metadata: dict[str, Any], backend: Any) -> None:
    truth = json.loads(TRUTH.read_text(encoding="utf-8"))
    tokenizer = from_metadata(metadata, backend)
    for prompt in truth["prompts"].values():
        assert tokenizer.encode(prompt["text"], parse_special=True) == prompt["ids"]
        assert tokenizer.decode(prompt["ids"], skip_special=False).removeprefix("<bos>") == prompt["text"]
    assert tokenizer.encode(truth["nll"]["text"])[:512] == truth["nll"]["ids"]


def test_torture(metadata: dict[str, Any]) -> None:
    python, native = from_metadata(metadata, "python"), from_metadata(metadata, "tokenizers")
    for line in [*LINES, "\n".join(LINES)]:
        ids = python.encode(line, add_special=False)
        assert ids == native.encode(line, add_special=False), line
        assert python.decode(ids) == line.replace("▁", " ")


def test_loads_with_few_steps_a_token(metadata: dict[str, Any]) -> None:
    tokenizer, work = counted(lambda: from_metadata(metadata))
    assert work < 5 * tokenizer.vocab_size
