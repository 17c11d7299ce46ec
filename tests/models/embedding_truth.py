"""What other programs make of texts with the weights of the tiny models, written to tests/data/embeddings.json.

    pip install --group truth
    PYTHONPATH=.:tests python3 tests/models/embedding_truth.py transformers
    PYTHONPATH=.:tests python3 tests/models/embedding_truth.py llama.cpp COMMAND
    PYTHONPATH=.:tests python3 tests/models/embedding_truth.py all-MiniLM-L6-v2

COMMAND is any that runs llama.cpp on its CPU: given the arguments MODEL OUT.npy ID ... it saves what the file's pooling
and head make of these tokens, as NumPy does. transformers sees the second half of a pair where the model scores pairs;
llama.cpp never does. The last one writes what sentence-transformers does with its real model in float32: the vectors of
SENTENCES in tests/data/all-minilm-l6-v2.hf-f32.json.
"""

import json
import re
import shlex
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from models.kept import IDS
from models.vectors import KEPT, MINILM, types
from tiny import EMBEDDING, Tiny, write_tiny

SENTENCES = [
    "The cat sleeps on the warm windowsill.",
    "A kitten is dozing where the sun comes in.",
    "Interest rates rose by half a point, and the markets fell.",
    "How do I reset the password of my router?",
    "x = [i ** 2 for i in range(10) if i % 3]  # Python",
    "Die Katze schläft auf der warmen Fensterbank.",
    "Gestern fuhr der Zug wegen Schnees drei Stunden zu spät.",
    "Wie viele Eier brauche ich für einen Kuchen?",
    "Le chat dort sur le rebord chaud de la fenêtre.",
    "L'été dernier, nous avons traversé les Pyrénées à pied.",
    "Où se trouve la gare la plus proche ?",
    "El gato duerme en el alféizar cálido de la ventana.",
    "Mañana lloverá en toda la costa del norte.",
    "¿Cuánto cuesta un billete de ida y vuelta?",
    "猫在温暖的窗台上睡觉。",
    "明天北京有雨。请带伞。",
    "Кошка спит на тёплом подоконнике.",
    "Сколько стоит билет до Москвы?",
    'ÜBER naïve café, e\u0301te\u0301 \u200b 😀 don\'t -- "quoted" $5.00 (1/2) ' + "y" * 120,
    "A long text is cut where the model ends. " * 80,
]

_BERT = {"layer_norm_eps": 1e-5, "hidden_act": "gelu", "type_vocab_size": 2}
_MODERN = {
    "norm_eps": 1e-5,
    "local_attention": 9,
    "hidden_activation": "gelu",
    **dict.fromkeys(["cls_token_id", "sep_token_id"], 1),
}


@dataclass(frozen=True)
class Hf:
    """A model's class and configuration in transformers, and what is made of its last hidden states."""

    type: str
    config: Mapping[str, Any] = field(default_factory=dict)
    head: str = "AutoModel"
    pooled: Callable[[Any], Any] = lambda rows: rows.mean(0)


HF = {
    "bert": Hf("bert", _BERT),
    "bert, cls, one type": Hf("bert", {**_BERT, "type_vocab_size": 1}, pooled=lambda rows: rows[0]),
    "bert, reranker": Hf("bert", {**_BERT, "num_labels": 1}, "AutoModelForSequenceClassification"),
    "nomic-bert": Hf("nomic_bert", {"layer_norm_eps": 1e-5, "hidden_act": "silu"}),
    "modern-bert": Hf("modernbert", _MODERN),
    "modern-bert, cls, silu": Hf(
        "modernbert", {**_MODERN, "hidden_activation": "silu", "local_attention": 8}, pooled=lambda rows: rows[0]
    ),
    "modern-bert, reranker": Hf(
        "modernbert",
        {**_MODERN, "classifier_pooling": "mean", "num_labels": 1},
        "AutoModelForSequenceClassification",
    ),
    "gemma-embedding": Hf(
        "gemma3_text",
        {"head_dim": 24, "query_pre_attn_scalar": 24, "use_bidirectional_attention": True, "sliding_window": 8},
    ),
    "qwen3, embedding": Hf("qwen3", {"head_dim": 16, "rms_norm_eps": 1e-5}, pooled=lambda rows: rows[-1]),
}

# What a tensor is called in transformers, and in the gguf package's table of names.
RENAMED = {
    "bert.pooler.dense": "cls",
    "head.dense": "cls",
    "head.norm": "cls.norm",
    "classifier": "cls.output",
    "post_attention_layernorm": "attention.output.LayerNorm",
    "post_mlp_layernorm": "output.LayerNorm",
    "layers.": "encoder.layer.",
}


def with_transformers(name: str, path: Path) -> Any:
    """The vector of IDS, or their score as a pair."""
    import gguf
    import torch
    import transformers

    tiny, hf = EMBEDDING[name], HF[name]
    tensors = {t.name: np.asarray(t.data, np.float32) for t in gguf.GGUFReader(path).tensors}
    config = transformers.AutoConfig.for_model(hf.type).__class__(
        **{
            "vocab_size": tiny.vocabulary,
            "hidden_size": tiny.embedding,
            "intermediate_size": tiny.feed_forward,
            "num_hidden_layers": tiny.layers,
            "num_attention_heads": tiny.heads,
            "num_key_value_heads": tiny.kv_heads,
            "max_position_embeddings": tiny.context,
            "pad_token_id": 0,
            "bos_token_id": 1,
            "eos_token_id": 2,
            **hf.config,
        }
    )
    options = {"attn_implementation": "eager", "dtype": torch.float32}
    model = getattr(transformers, hf.head).from_config(config, **options)
    if hf.type == "bert" and hf.head == "AutoModel":
        model.pooler = None
    left = {*tensors}
    state = {}
    for key in model.state_dict():
        third = re.fullmatch(r"layers\.(\d+)\.self_attn\.([qkv])_proj\.(weight|bias)", key)
        if third and (found := f"blk.{third[1]}.attn_qkv.{third[3]}") in tensors:
            array = np.split(tensors[found], 3)["qkv".index(third[2])]
        else:
            found = name_of(key, tiny, hf, gguf)
            array = tensors[found]
        left.discard(found)
        if hf.type == "gemma3_text" and found.endswith("norm.weight"):
            array = array - 1  # the converter adds it
        state[key] = torch.tensor(array.copy())
    left -= {"dense_2.weight", "dense_3.weight"}
    assert not left, f"{name}: transformers has no {left}"
    model.load_state_dict(state)
    with torch.no_grad():
        given = {"input_ids": torch.tensor([IDS])}
        if hf.head != "AutoModel":
            if hf.type == "bert":
                given["token_type_ids"] = torch.tensor(types(IDS)[None])
            return model.eval()(**given).logits[0].numpy()
        vector = hf.pooled(model.eval()(**given).last_hidden_state[0].numpy().astype(np.float64))
    for dense in ("dense_2.weight", "dense_3.weight"):
        vector = tensors[dense] @ vector if dense in tensors else vector
    return vector


def name_of(key: str, tiny: Tiny, hf: Hf, gguf: Any) -> str:
    """What the file calls a tensor of transformers."""
    module, _, suffix = key.rpartition(".")
    renamed = RENAMED.get(module)
    if renamed:
        return f"{renamed}.{suffix}"
    architectures = {name: arch for arch, name in gguf.MODEL_ARCH_NAMES.items()}
    table = gguf.get_tensor_name_map(architectures[tiny.architecture], tiny.layers)
    module = module.removeprefix("bert.").removeprefix("model.")
    if hf.type == "nomic_bert" and module.endswith("_layernorm"):
        for ours, theirs in RENAMED.items():
            module = module.replace(ours, theirs)
    found = table.get_name(module) or table.get_name(f"model.{module}")
    assert found, f"the gguf package has no name for {key}"
    return f"{found}.{suffix}"


def with_llama_cpp(path: Path, command: str) -> Any:
    """The same, of IDS as one text. A score is followed by what is none."""
    out = path.with_suffix(".npy")
    subprocess.run([*shlex.split(command), *map(str, [path, out, *IDS])], check=True, stdout=subprocess.DEVNULL)
    return np.load(out)


def made(program: str, command: str) -> Iterator[tuple[str, Any]]:
    for name, tiny in EMBEDDING.items():
        if program == "transformers" and name not in HF:
            continue
        with tempfile.TemporaryDirectory() as folder:
            if program == "llama.cpp" and "pooling_type" not in tiny.metadata:  # which its server is told by an option
                tiny = replace(tiny, metadata={**tiny.metadata, "pooling_type": 4})
            path = write_tiny(Path(folder) / "tiny.gguf", tiny)
            vector = with_transformers(name, path) if program == "transformers" else with_llama_cpp(path, command)
        output = tiny.shapes.get("cls.output") or tiny.shapes.get("cls")
        yield name, [round(float(x), 6) for x in vector[: output[0] if output else None]]
        print(name, flush=True)


def sentences() -> dict[str, Any]:
    """The tokens and vectors of SENTENCES: the mean of the rows, divided by its length; float32 in base64."""
    import torch
    import transformers
    from minilm import CONTEXT, tensors

    from web.build.pins import fetch, read_lock

    weights, words = pins = [pin for pin in read_lock() if pin.role == "encoder"]
    fetch(pins)
    config = transformers.BertConfig(
        hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536
    )
    model = transformers.BertModel(config, add_pooling_layer=False).eval()
    left = model.load_state_dict({name: torch.tensor(x) for name, x in tensors(weights.path).items()}, strict=False)
    assert not left.missing_keys
    assert all(key.startswith(("pooler.", "embeddings.position_ids")) for key in left.unexpected_keys)
    tokenizer = transformers.BertTokenizer(str(words.path), do_lower_case=True)
    ids = [tokenizer(text, truncation=True, max_length=CONTEXT)["input_ids"] for text in SENTENCES]
    with torch.no_grad():
        rows = [model(torch.tensor([one])).last_hidden_state[0].mean(0).numpy() for one in ids]
    vectors = np.stack([row / np.linalg.norm(row) for row in rows]).astype("<f4")
    made_with = f"transformers {transformers.__version__}, torch {torch.__version__}, float32 on the CPU"
    return {"made_with": made_with, "texts": SENTENCES, "ids": ids, "vectors": b64encode(vectors.tobytes()).decode()}


def main(program: str, command: str = "") -> None:
    if program == "all-MiniLM-L6-v2":
        MINILM.write_text(json.dumps(sentences(), indent=0) + "\n")
        return
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    kept[program] = dict(made(program, command))
    KEPT.write_text(json.dumps(kept).replace("], ", "],\n").replace("}, ", "},\n") + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:]) if len(sys.argv) > 1 else sys.exit(__doc__)
