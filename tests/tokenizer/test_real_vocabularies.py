"""Real vocabularies against the ids that their models' own tokenizers gave, where llama.cpp's sources are at hand.

They (PY_WGML_LLAMA_CPP: a folder) bring some twenty vocabularies, texts, and ids made by Hugging Face's tokenizers.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from py_wgml.gguf_model import read_header
from py_wgml.tokenizer import from_metadata

SOURCES = Path(os.environ.get("PY_WGML_LLAMA_CPP", "absent"))
FILES = sorted(file for file in SOURCES.glob("models/ggml-vocab-*.gguf") if Path(f"{file}.out").exists())
BETWEEN = "\n__ggml_vocab_test__\n"


@pytest.mark.skipif(not FILES, reason="needs PY_WGML_LLAMA_CPP")
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
@pytest.mark.parametrize("backend", ["python", "tokenizers"])
def test_ids(file: Path, backend: Any) -> None:
    tokenizer = from_metadata(read_header(file).metadata, backend)
    texts = Path(f"{file}.inp").read_bytes().decode().split(BETWEEN)
    lines = Path(f"{file}.out").read_text().split("\n")
    for text, line in zip(texts, lines, strict=False):  # a line more where the file ends with one
        assert tokenizer.encode(text, add_special=False) == [int(id) for id in line.split()], text
    assert len(texts) > 40
