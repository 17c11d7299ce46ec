"""The card of a model, against the gguf package's own reader."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import tiny
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter

from py_wgml.chat import ChatTemplate
from py_wgml.gguf_model import Header, TensorInfo, read_header
from py_wgml.gguf_model.card import card


def test_the_card_tells_what_the_file_says(tmp_path: Path) -> None:
    path = tiny.write_tiny_llama(tmp_path / "tiny.gguf", types={"ffn": GGMLQuantizationType.Q8_0})
    made, reader = card(read_header(path)), GGUFReader(path)
    json.dumps(made)  # nothing in it that a message can't carry
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    assert {row["name"]: (row["type"], row["bytes"]) for row in made["tensors"]} == {
        name: (tensor.tensor_type.name, tensor.n_bytes) for name, tensor in tensors.items()
    }
    assert all(row["shape"] == list(reversed(tensors[row["name"]].shape.tolist())) for row in made["tensors"])
    sizes = Counter[str]()
    for tensor in reader.tensors:
        sizes[tensor.tensor_type.name] += int(tensor.n_bytes)
    assert {row["type"]: row["bytes"] for row in made["types"]} == sizes
    assert made["types"][0]["bytes"] == max(sizes.values())
    assert made["parameters"] == sum(int(tensor.n_elements) for tensor in reader.tensors)
    assert made["template"] == reader.fields["tokenizer.chat_template"].contents()
    shown = {row["key"]: row["value"] for row in made["metadata"]}
    assert shown["general.name"] == "tiny"
    assert shown["llama.context_length"] == 1024
    tokens = reader.fields["tokenizer.ggml.tokens"].contents()
    assert made["vocabulary"] == {"model": "gpt2", "tokens": len(tokens)}
    assert shown["tokenizer.ggml.tokens"] == f"{len(tokens)} elements: {', '.join(tokens[:8])}, …"


def test_the_card_shows_templates_by_name(tmp_path: Path) -> None:
    """As the gguf package writes them."""
    writer = GGUFWriter(tmp_path / "named.gguf", "llama")
    written = {"default": "main", "tool_use": "with tools", "rag": "with documents"}
    writer.add_chat_template([{"name": name, "template": template} for name, template in written.items()])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    metadata = read_header(tmp_path / "named.gguf").metadata
    made = card(Header(3, metadata, {}, 0, 32))
    assert made["template"] == written.pop("default")
    assert {row["name"]: row["template"] for row in made["templates"]} == written
    assert [row["key"] for row in made["metadata"] if "chat_template" in row["key"]] == ["tokenizer.chat_templates"]
    template = ChatTemplate.from_metadata(metadata)
    hello = [{"role": "user", "content": "hello"}]
    assert [template.render(hello, chat_template=name) for name in written] == list(written.values())


def test_the_card_of_a_strange_file_is_short_and_readable() -> None:
    metadata = {
        "general.name": "caf\udcc3",
        "general.license": "x" * 1_000_000,
        "odd\udcff": [["y" * 1_000_000] * 1000, [1, 2]],
        "tokenizer.chat_template": "\udcff",
        "huge": 1 << 63,
    }
    tensors = {"t\udcff": TensorInfo("t\udcff", (2,), GGMLQuantizationType.F32, 0, 8)}
    made = card(Header(3, metadata, tensors, 0, 32))
    text = json.dumps(made, ensure_ascii=False)
    assert len(text.encode()) < 20_000
    shown = {row["key"]: row["value"] for row in made["metadata"]}
    assert shown["general.name"] == "caf\ufffd"
    assert shown["odd\ufffd"] == "2 elements: [1,000 elements], [2 elements]"
    assert (made["template"], made["tensors"][0]["name"]) == ("\ufffd", "t\ufffd")
