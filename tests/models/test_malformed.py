"""Files of every family that lack a tensor, or have one of another shape: refused in one line, by the header alone."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tiny import EMBEDDING, TINY, write_tiny

from py_wgml import WgmlError
from py_wgml.gguf_model import read_header
from py_wgml.gguf_model.header import Header
from py_wgml.models import plan

# What files may do without: then there is no such thing in the model, or another tensor stands for it.
OPTIONAL = re.compile(
    r"\.(bias|scale)$|^output\.weight$|^rope_|\.(ffn_gate_inp_shexp|ssm_norm)\.|^token_types|^dense_|^cls"
).search
# More rows are compared with the vocabulary, or not needed, or are more of the same.
LARGER = {
    *("token_embd.weight", "position_embd.weight", "per_layer_token_embd.weight"),
    *("token_types.weight", "cls.output.weight", "dense_3.weight"),
}
FILES = TINY | EMBEDDING


def used(header: Header) -> list[str]:
    """The tensors of the file that its model takes."""
    _, _, found = plan(header)
    return [tensor.name for group in (*found.matrices.values(), *found.vectors.values()) for tensor in group]


def misshaped(shape: tuple[int, ...], more_rows: bool) -> Iterator[tuple[int, ...]]:
    yield *shape[:-1], shape[-1] + 32
    yield *shape, 2
    if shape != (1,):
        yield (1,) * len(shape)
    if more_rows:
        yield shape[0] + 1, *shape[1:]


def check_refused(header: Header) -> None:
    with pytest.raises(WgmlError) as caught:
        plan(header)
    message = str(caught.value)
    assert message.isprintable() and len(message) < 300


@pytest.mark.parametrize("name", FILES)
def test_tensors_that_are_missing(name: str, tmp_path: Path) -> None:
    header = read_header(write_tiny(tmp_path / "tiny.gguf", FILES[name]))
    for tensor in used(header):
        if not OPTIONAL(tensor):
            check_refused(replace(header, tensors={key: t for key, t in header.tensors.items() if key != tensor}))


@pytest.mark.parametrize("name", FILES)
def test_tensors_of_another_shape(name: str, tmp_path: Path) -> None:
    header = read_header(write_tiny(tmp_path / "tiny.gguf", FILES[name]))
    for tensor in used(header):
        info = header.tensors[tensor]
        for shape in misshaped(info.shape, more_rows=tensor not in LARGER):
            check_refused(replace(header, tensors={**header.tensors, tensor: replace(info, shape=shape)}))
