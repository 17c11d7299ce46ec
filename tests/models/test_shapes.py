"""The random models that speed is measured with: whole, and as heavy as what they are compared with."""

from pathlib import Path

import pytest
from models.shapes import SHAPES, nbytes, write_header

from py_wgml.gguf_model.header import HeaderParser
from py_wgml.models import plan


@pytest.mark.parametrize("name", SHAPES)
def test_headers_are_whole(name: str, tmp_path: Path) -> None:
    path, shape = tmp_path / "shape.gguf", SHAPES[name]
    write_header(shape, path)
    header = HeaderParser().feed(path.read_bytes())
    assert header is not None
    config, _, found = plan(header)
    assert config.block_count == shape.metadata["block_count"]
    assert [tensor.nbytes for tensor in header.tensors.values()] == [
        nbytes(dims, type) for _, dims, type in shape.tensors
    ]
    assert found.matrices


@pytest.mark.parametrize("name", [name for name in SHAPES if name.endswith("-llama")])
def test_as_many_bytes_a_token(name: str) -> None:
    assert 0.97 < SHAPES[name].read() / SHAPES[name.removesuffix("-llama")].read() <= 1
