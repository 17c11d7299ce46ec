"""all-MiniLM-L6-v2 against transformers in float32, on 20 sentences in six languages:
tests/data/all-minilm-l6-v2.hf-f32.json.

The figures are printed (`-s` or `-rP` shows them).
"""

import asyncio
import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import gpus
import numpy as np
import pytest
from minilm import write_minilm
from models.vectors import MINILM

from py_wgml import Model
from py_wgml.gguf_model import read_header
from py_wgml.tokenizer import from_metadata
from web.build.errors import NETWORK, Stop

TRUTH = json.loads(MINILM.read_text())
NEAR = 1e-5  # one less the cosine of the angle between two vectors


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return write_minilm(tmp_path_factory.mktemp("minilm") / "all-MiniLM-L6-v2.gguf")
    except Stop as stop:
        if stop.code == NETWORK:
            pytest.skip(str(stop))
        raise


def test_token_ids(path: Path) -> None:
    tokenizer = from_metadata(read_header(path).metadata)
    for text, ids in zip(TRUTH["texts"], TRUTH["ids"], strict=True):
        found = tokenizer.encode(text)
        assert [*found[: len(ids) - 1], found[-1]] == ids


@pytest.mark.slow
def test_vectors(path: Path) -> None:
    expected = np.frombuffer(b64decode(TRUTH["vectors"]), "<f4").reshape(len(TRUTH["texts"]), -1)

    async def on_gpu() -> Any:
        model = await Model.load(path, device=gpus.device("naga"))
        try:
            return await model.embed(TRUTH["texts"])
        finally:
            model.destroy()

    vectors = asyncio.run(on_gpu())
    away = 1 - np.sum(vectors.astype(np.float64) * expected, axis=1)
    print(f"cosines with transformers: 1 - {away.max():.1e}; elements within {np.abs(vectors - expected).max():.1e}")
    assert np.abs(away).max() < NEAR
