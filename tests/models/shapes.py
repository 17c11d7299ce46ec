"""Random models of the size and shape of real ones, to measure speed with.

    python3 tests/models/shapes.py NAME FILE      NAME: qwen3.5-0.8b, gemma-4-e2b, either with "-llama" behind it, or
                                                  rwkv7-0.4b

writes a GGUF file in Q4_K, every second value and down matrix and the embeddings in Q6_K, as llama.cpp quantizes (of
RWKV's it knows no better matrices than others, and leaves the small ones in F32); "-llama": of a Llama with as
many layers, as wide, whose feed-forward layers are such that a token reads as many bytes of weights. What they answer
is nonsense.
"""

import itertools
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]
    from web.build.environment import in_venv

    in_venv("test")

import numpy as np
from gguf import GGML_QUANT_SIZES, GGUF_DEFAULT_ALIGNMENT, GGUFWriter
from gguf import GGMLQuantizationType as Type
from tiny import CHATML, vocabulary

_BLOCKS = 4096  # random ones, which repeat
# Scales of the blocks' numbers, in half precision: where they stand in a block, and what makes weights of a usual size.
_SCALES = {Type.Q4_K: ((0, 0.0004), (2, 0.003)), Type.Q6_K: ((208, 0.00002),)}

Tensor = tuple[str, tuple[int, ...], Type]


@dataclass(frozen=True)
class Shape:
    """A model's architecture, its hyper-parameters by their keys, and the names, shapes and types of its tensors."""

    architecture: str
    metadata: Mapping[str, Any]
    tensors: tuple[Tensor, ...]

    def read(self) -> int:
        """Bytes of weights that a token reads: all but rows of embeddings that are no logits' too."""
        tied = all(name != "output" for name, _, _ in self.tensors)
        rows = ("per_layer_token_embd",) if tied else ("per_layer_token_embd", "token_embd")
        read = [tensor for tensor in self.tensors if tensor[0] not in rows]
        return sum(nbytes(shape, type) for _, shape, type in read)


def nbytes(shape: tuple[int, ...], type: Type) -> int:
    elements, size = GGML_QUANT_SIZES[type]
    return int(np.prod(shape)) // elements * size


def better(layer: int) -> Type:
    """The type of a layer's value and down matrices."""
    return Type.Q4_K if layer % 2 else Type.Q6_K


def whole(
    architecture: str, metadata: Mapping[str, Any], tokens: int, layers: list[list[Tensor]], *more: Tensor
) -> Shape:
    width = metadata["embedding_length"]
    first: list[Tensor] = [("token_embd", (tokens, width), Type.Q6_K), ("output_norm", (width,), Type.F32), *more]
    named = [(f"blk.{i}.{name}", shape, type) for i, layer in enumerate(layers) for name, shape, type in layer]
    keys = {"block_count": len(layers), "context_length": 8192, "attention.layer_norm_rms_epsilon": 1e-6, **metadata}
    return Shape(architecture, keys, (*first, *named))


def norms(width: int, *names: str) -> list[Tensor]:
    return [(name, (width,), Type.F32) for name in names]


def feed_forward(width: int, hidden: int, layer: int) -> list[Tensor]:
    matrices: list[Tensor] = [(name, (hidden, width), Type.Q4_K) for name in ("ffn_gate", "ffn_up")]
    return [*matrices, ("ffn_down", (width, hidden), better(layer))]


def attention(width: int, heads: int, kv_heads: int, size: int, layer: int, gates: int = 1) -> list[Tensor]:
    """gates: 2 where queries have gates beside them."""
    return [
        ("attn_q", (gates * heads * size, width), Type.Q4_K),
        ("attn_k", (kv_heads * size, width), Type.Q4_K),
        ("attn_v", (kv_heads * size, width), better(layer)),
        ("attn_output", (width, heads * size), Type.Q4_K),
    ]


def qwen35() -> Shape:
    width, size, heads, state = 1024, 256, 16, 128
    channels, layers = 3 * heads * state, []
    for layer in range(24):
        rest = [*norms(width, "attn_norm", "post_attention_norm"), *feed_forward(width, 3584, layer)]
        if layer % 4 == 3:
            rest += [*attention(width, 8, 2, size, layer, gates=2), *norms(size, "attn_q_norm", "attn_k_norm")]
        else:
            rest += [(f"ssm_{name}", (heads, width), Type.Q4_K) for name in ("alpha", "beta")]
            rest += [("attn_qkv", (channels, width), Type.Q4_K), ("attn_gate", (heads * state, width), Type.Q4_K)]
            rest += [("ssm_out", (width, heads * state), Type.Q4_K), ("ssm_conv1d", (channels, 4), Type.F32)]
            rest += [*norms(heads, "ssm_dt.bias", "ssm_a"), *norms(state, "ssm_norm")]
        layers.append(rest)
    metadata = {
        "embedding_length": width,
        "feed_forward_length": 3584,
        "attention.head_count": 8,
        "attention.head_count_kv": 2,
        "attention.key_length": size,
        "attention.value_length": size,
        "full_attention_interval": 4,
        "rope.dimension_count": 64,
        "rope.dimension_sections": [11, 11, 10, 0],
        "rope.freq_base": 1e7,
        "ssm.conv_kernel": 4,
        "ssm.group_count": heads,
        "ssm.inner_size": heads * state,
        "ssm.state_size": state,
        "ssm.time_step_rank": heads,
    }
    return whole("qwen35", metadata, 248320, layers)


def rwkv7() -> Shape:
    width, hidden, ranks, layers = 1024, 4096, {"w": 64, "a": 64, "v": 32, "g": 128}, []
    for _ in range(24):
        rest: list[Tensor] = [("time_mix_lerp_fused", (6, 1, 1, width), Type.F32)]
        whole_ones = ("receptance", "key", "value", "output")
        rest += [(f"time_mix_{name}", (width, width), Type.Q4_K) for name in whole_ones]
        for part, rank in ranks.items():
            rest += [(f"time_mix_{part}1", (rank, width), Type.F32), (f"time_mix_{part}2", (width, rank), Type.F32)]
        rest += norms(width, *(f"time_mix_{name}" for name in ("w0", "a0", "v0", "k_k", "k_a", "r_k", "ln", "ln.bias")))
        rest += [("channel_mix_key", (hidden, width), Type.Q4_K), ("channel_mix_value", (width, hidden), Type.Q4_K)]
        rest += norms(width, "channel_mix_lerp_k", "attn_norm", "attn_norm.bias", "attn_norm_2", "attn_norm_2.bias")
        layers.append(rest)
    metadata = {
        "embedding_length": width,
        "feed_forward_length": hidden,
        "attention.head_count": 0,
        "attention.layer_norm_epsilon": 1e-5,
        "wkv.head_size": 64,
    }
    others = norms(width, "token_embd_norm", "token_embd_norm.bias", "output_norm.bias")
    return whole("rwkv7", metadata, 65536, layers, *others, ("output", (65536, width), Type.Q6_K))


def gemma4() -> Shape:
    width, own, layers = 1536, 256, []
    is_local, hidden = [layer % 5 < 4 for layer in range(35)], [6144] * 15 + [12288] * 20
    for layer in range(35):
        size = 256 if is_local[layer] else 512
        parts = attention(width, 8, 1, size, layer)[:: 1 if layer < 15 else 3]  # the last 20 share keys and values
        rest = norms(width, "attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm", "post_norm")
        rest += [*parts, *norms(size, *("attn_q_norm", "attn_k_norm")[: 2 if layer < 15 else 1])]
        rest += [("inp_gate", (own, width), Type.Q4_K), ("proj", (width, own), Type.Q4_K)]
        layers.append([*rest, *feed_forward(width, hidden[layer], layer), *norms(1, "layer_output_scale")])
    metadata = {
        "embedding_length": width,
        "embedding_length_per_layer_input": own,
        "feed_forward_length": hidden,
        "attention.head_count": 8,
        "attention.head_count_kv": 1,
        "attention.key_length": 512,
        "attention.value_length": 512,
        "attention.key_length_swa": 256,
        "attention.value_length_swa": 256,
        "attention.sliding_window": 512,
        "attention.sliding_window_pattern": is_local,
        "attention.shared_kv_layers": 20,
        "final_logit_softcapping": 30.0,
        "rope.dimension_count": 512,
        "rope.dimension_count_swa": 256,
        "rope.freq_base": 1e6,
        "rope.freq_base_swa": 1e4,
    }
    table: Tensor = ("per_layer_token_embd", (262144, 35 * own), Type.Q4_K)
    projection: Tensor = ("per_layer_model_proj", (35 * own, width), Type.BF16)
    more = [table, projection, *norms(own, "per_layer_proj_norm"), *norms(256, "rope_freqs")]
    return whole("gemma4", metadata, 262144, layers, *more)


def llama_like(other: Shape, heads: int, kv_heads: int, size: int) -> Shape:
    """A Llama that reads as many bytes a token, or a little fewer."""
    width, layers = other.metadata["embedding_length"], other.metadata["block_count"]

    def shape(hidden: int) -> Shape:
        metadata = {
            "embedding_length": width,
            "feed_forward_length": hidden,
            "attention.head_count": heads,
            "attention.head_count_kv": kv_heads,
            "attention.key_length": size,
            "attention.value_length": size,
            "rope.dimension_count": size,
        }
        parts = [
            [
                *norms(width, "attn_norm", "ffn_norm"),
                *attention(width, heads, kv_heads, size, i),
                *feed_forward(width, hidden, i),
            ]
            for i in range(layers)
        ]
        return whole("llama", metadata, other.tensors[0][1][0], parts)

    return shape(next(n for n in itertools.count(256, 256) if shape(n + 256).read() > other.read()))


SHAPES = {
    "qwen3.5-0.8b": qwen35(),
    "gemma-4-e2b": gemma4(),
    "rwkv7-0.4b": rwkv7(),
    "qwen3.5-0.8b-llama": llama_like(qwen35(), 16, 4, 64),
    "gemma-4-e2b-llama": llama_like(gemma4(), 8, 1, 256),
}


def data(name: str, shape: tuple[int, ...], type: Type, blocks: Mapping[Type, bytes]) -> Iterator[bytes]:
    """A tensor's bytes: norms are 1, rates negative."""
    left = nbytes(shape, type)
    if type == Type.F32:
        yield np.full(shape, -1.0 if "ssm_" in name and "norm" not in name else 1.0, np.float32).tobytes()
    else:
        while left:
            yield (part := blocks[type][:left])
            left -= len(part)


def write_header(shape: Shape, path: Path) -> None:
    """Write what is before the tensors' bytes."""
    writer = GGUFWriter(path, shape.architecture)
    writer.add_name(path.stem)
    adders: dict[Any, Any] = {float: writer.add_float32, int: writer.add_uint32}
    for key, value in shape.metadata.items():
        add = adders.get(value.__class__, writer.add_array)
        add(f"{shape.architecture}.{key}", value)
    tokens, kinds = vocabulary(shape.tensors[0][1][0])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(["h e"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template(CHATML)
    for name, dims, type in shape.tensors:
        elements, size = GGML_QUANT_SIZES[type]
        suffix = "" if name.endswith((".bias", "ssm_a")) else ".weight"
        if type == Type.F32:
            writer.add_tensor_info(name + suffix, dims, np.dtype(np.float32), nbytes(dims, type))
        else:
            packed = (*dims[:-1], dims[-1] // elements * size)
            writer.add_tensor_info(name + suffix, packed, np.dtype(np.uint8), nbytes(dims, type), raw_dtype=type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()


def write(shape: Shape, path: Path) -> None:
    """Write a file of the shape."""
    random, blocks = np.random.default_rng(1), {Type.BF16: np.full(1 << 16, 0x3C0A, np.uint16).tobytes()}
    for type, scales in _SCALES.items():
        array = random.integers(0, 256, (_BLOCKS, GGML_QUANT_SIZES[type][1]), np.uint8)
        for place, scale in scales:
            array[:, place : place + 2] = np.frombuffer(np.float16(scale).tobytes(), np.uint8)
        blocks[type] = array.tobytes()
    write_header(shape, path)
    with path.open("ab") as file:
        for name, dims, type in shape.tensors:
            file.write(bytes(-file.tell() % GGUF_DEFAULT_ALIGNMENT))
            file.writelines(data(name, dims, type, blocks))
        file.write(bytes(-file.tell() % GGUF_DEFAULT_ALIGNMENT))


def main(arguments: list[str]) -> None:
    if len(arguments) != 2 or arguments[0] not in SHAPES:
        raise SystemExit(f"usage: python3 tests/models/shapes.py NAME FILE; NAME: {', '.join(SHAPES)}")
    write(SHAPES[arguments[0]], Path(arguments[1]))


if __name__ == "__main__":
    main(sys.argv[1:])
