"""Tiny models with random weights, written with the gguf package: every part of a real one, in milliseconds."""

from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, TokenType
from quantize import quantize

# A template like that of models trained on ChatML.
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")


def vocabulary(size: int) -> tuple[list[str], list[TokenType]]:
    """Byte-level tokens: three special ones, the 256 bytes, and words that no merge makes (but a model can say)."""
    from tokenizers.pre_tokenizers import ByteLevel

    tokens = [*SPECIAL, *sorted(ByteLevel.alphabet())]
    types = [TokenType.CONTROL] * len(SPECIAL) + [TokenType.NORMAL] * 256
    while len(tokens) < size:
        tokens.append(f"Ġword{len(tokens)}")
        types.append(TokenType.NORMAL)
    return tokens, types


def write_tiny_llama(
    path: Path,
    *,
    type: GGMLQuantizationType = GGMLQuantizationType.F32,
    types: dict[str, GGMLQuantizationType] | None = None,
    layers: int = 2,
    embedding: int = 64,
    heads: int = 4,
    kv_heads: int = 2,
    feed_forward: int = 128,
    vocabulary_size: int = 512,
    context: int = 1024,
    tied: bool = False,
    biases: bool = False,
    rope_factors: bool = False,
    seed: int = 0,
    metadata: dict[str, str | int | float] | None = None,
) -> Path:
    """Write a model of the architecture llama to `path`.

    type: of its matrices; `types` names others by a part of the tensor's name. Control tokens are never the most likely
    ones (unless tied), so that a chat goes on until it is stopped. metadata: further keys, or other values.
    """
    random = np.random.default_rng(seed)
    writer = GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_block_count(layers)
    writer.add_context_length(context)
    writer.add_embedding_length(embedding)
    writer.add_feed_forward_length(feed_forward)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(embedding // heads)
    writer.add_rope_freq_base(10000.0)
    tokens, token_types = vocabulary(vocabulary_size)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types(token_types)
    writer.add_token_merges(["h e", "l l", "Ġ a"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template(CHATML)
    for key, value in (metadata or {}).items():
        if isinstance(value, str):
            writer.add_string(key, value)
        elif isinstance(value, float):
            writer.add_float32(key, value)
        else:
            writer.add_uint32(key, value)

    def matrix(name: str, rows: int, columns: int, scale: float = 1.0) -> None:
        values = (scale * random.standard_normal((rows, columns)) / np.sqrt(columns)).astype(np.float32)
        if name == "output":
            values[: len(SPECIAL)] = 0
        chosen = next((t for part, t in (types or {}).items() if part in name), type)
        rows_of_bytes = quantize(values, chosen)
        writer.add_tensor(f"{name}.weight", rows_of_bytes, raw_dtype=chosen)
        if biases and "attn_" in name:
            vector(f"{name}.bias", rows, 0.0)

    def vector(name: str, length: int, mean: float) -> None:
        writer.add_tensor(name, (mean + 0.1 * random.standard_normal(length)).astype(np.float32))

    width, kv_width = embedding, embedding // heads * kv_heads
    matrix("token_embd", vocabulary_size, embedding, np.sqrt(embedding))
    for layer in range(layers):
        block = f"blk.{layer}"
        vector(f"{block}.attn_norm.weight", embedding, 1.0)
        matrix(f"{block}.attn_q", width, embedding)
        matrix(f"{block}.attn_k", kv_width, embedding)
        matrix(f"{block}.attn_v", kv_width, embedding)
        matrix(f"{block}.attn_output", embedding, width)
        vector(f"{block}.ffn_norm.weight", embedding, 1.0)
        matrix(f"{block}.ffn_gate", feed_forward, embedding)
        matrix(f"{block}.ffn_up", feed_forward, embedding)
        matrix(f"{block}.ffn_down", embedding, feed_forward)
    vector("output_norm.weight", embedding, 1.0)
    if not tied:
        matrix("output", vocabulary_size, embedding, 4.0)
    if rope_factors:
        writer.add_tensor("rope_freqs.weight", random.uniform(1, 8, embedding // heads // 2).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
