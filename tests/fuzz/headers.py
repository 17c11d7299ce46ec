"""Headers of GGUF files, mutated as a stranger or a damaged disk may: what is loaded must answer, all else be refused.

A case is a tiny model of some family with some kind of vocabulary, taken apart into metadata and tensors, changed in a
few places and written again; some have their bytes changed as well.
"""

from __future__ import annotations

import json
import random
import struct
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFReader, GGUFValueType
from tiny import TINY, write_tiny

from fuzz import Fault
from py_wgml.chat import AnswerFormat
from py_wgml.errors import WgmlError
from py_wgml.gguf_model import Header, HeaderParser, join_headers
from py_wgml.gguf_model.card import card
from py_wgml.gguf_model.ggml import OUTSIDE, GGMLQuantizationType
from py_wgml.loaded import prepare
from py_wgml.models.numpy_graph import NumpyModel
from py_wgml.tokenizer import from_metadata

FAMILIES = (
    *("llama", "llama, tied, frequency factors", "llama, linear scaling", "mistral3", "qwen2, yarn", "qwen3", "phi3"),
    *("phi3, longrope", "granite", "gemma2", "gemma3", "olmo3", "mixtral", "ernie4_5-moe", "gpt-oss", "lfm2", "gpt2"),
    *("cohere2", "gptneox"),
)
COMPUTED = 16
"""Of so many files that are taken, one is asked for logits."""
LONGEST_MESSAGE = 1000
TEXT = "The 3 bananas cost 12.50 €, don't they?\n\n  日本語 🙂 <|im_start|>\x00"
NUMBERS = {
    GGUFValueType.UINT8: "<B",
    GGUFValueType.INT8: "<b",
    GGUFValueType.UINT16: "<H",
    GGUFValueType.INT16: "<h",
    GGUFValueType.UINT32: "<I",
    GGUFValueType.INT32: "<i",
    GGUFValueType.FLOAT32: "<f",
    GGUFValueType.BOOL: "<B",
    GGUFValueType.UINT64: "<Q",
    GGUFValueType.INT64: "<q",
    GGUFValueType.FLOAT64: "<d",
}
INTEGERS: tuple[int, ...] = (0, 1, 2, 3, 7, 15, 16, 17, 63, 64, 65)
INTEGERS += (127, 128, 255, 256, 511, 512, 513, 1024, 4096, 65535)
INTEGERS += (-1, -2, -128, -(1 << 31), (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 30, (1 << 63) - 1, 1 << 63, 1 << 60)
FLOATS: tuple[float, ...] = (0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.0, 32.0, 1e-5, 1e-45, 1e-30, 1e30, 3.4e38, 1e308)
FLOATS += (10000.0, 1e9, float("nan"), float("inf"), float("-inf"))
STRINGS = (
    *(b"", b" ", b"none", b"linear", b"yarn", b"longrope", b"dynamic", b"llama", b"gpt2", b"bert", b"t5", b"gemma4"),
    *(
        b"default",
        b"superbpe",
        b"qwen2",
        b"\xff",
        b"caf\xc3",
        b"\xed\xa0\x80",
        b"a\0b",
        b"\xe2\x80\xaeevil",
        b"\x1b[2J",
    ),
    *(b"<0x41>", b"<0xZZ>", b"<|im_end|>", b"a", b"a b", b" ", b"  ", b"line\nline\r\n", b"x" * 5000, b"9" * 5000),
    *(
        "\ufdfa".encode() * 100,
        "\u0300".encode() * 1000,
        b"{{ messages }}",
        b"{% for",
        b"{{ raise_exception('x' * 999) }}",
    ),
)
# Keys that are read of some family, beside those that a file has.
KEYS = (
    *("attention.key_length", "attention.value_length", "attention.scale", "attention.temperature_scale"),
    *("attention.sliding_window", "attention.sliding_window_pattern", "attention.layer_norm_epsilon"),
    *("attn_logit_softcapping", "final_logit_softcapping", "embedding_scale", "residual_scale", "logit_scale"),
    *("rope.dimension_count", "rope.freq_base", "rope.freq_base_swa", "rope.scaling.type", "rope.scaling.factor"),
    *("rope.scaling.original_context_length", "rope.scaling.attn_factor", "rope.scaling.yarn_attn_factor"),
    *("rope.scaling.yarn_log_multiplier", "rope.scaling.yarn_beta_fast", "rope.scaling.yarn_beta_slow"),
    *("shortconv.l_cache", "use_parallel_residual", "expert_count", "expert_used_count", "expert_weights_scale"),
)
GENERAL_KEYS = (
    *("general.name", "general.basename", "general.finetune", "general.alignment", "general.architecture"),
    *("general.description", "split.no", "split.count", "split.tensors.count", "tokenizer.chat_template"),
    *(
        f"tokenizer.ggml.{key}"
        for key in (
            *("model", "pre", "tokens", "scores", "token_type", "merges", "precompiled_charsmap", "add_space_prefix"),
            *("bos_token_id", "eos_token_id", "eot_token_id", "unknown_token_id", "seperator_token_id"),
            *("add_bos_token", "add_eos_token", "add_sep_token", "remove_extra_whitespaces", "fim_pad_token_id"),
            *("normalizer.lowercase", "normalizer.strip_accents"),
        )
    ),
)


@dataclass
class Pair:
    """A key and its value: packed values of `kind`; items: of an array, where `kind` is what it holds."""

    key: bytes
    kind: int
    items: list[bytes]
    array: bool = False

    def pack(self) -> bytes:
        head = string(self.key)
        if self.array:
            head += struct.pack("<IIQ", GGUFValueType.ARRAY, self.kind, len(self.items))
        else:
            head += struct.pack("<I", self.kind)
        return head + b"".join(self.items)


@dataclass
class Row:
    """A row of the tensor table."""

    name: bytes
    dims: list[int]
    kind: int
    offset: int

    def pack(self) -> bytes:
        dims = [number & (1 << 64) - 1 for number in self.dims]
        return string(self.name) + struct.pack(
            f"<I{len(dims)}QIQ", len(dims), *dims, self.kind, self.offset & (1 << 64) - 1
        )


@dataclass
class File:
    """A file taken apart."""

    pairs: list[Pair]
    rows: list[Row]
    data: bytes = field(repr=False)
    version: int = 3

    def pack(self) -> bytes:
        head = b"GGUF" + struct.pack("<IQQ", self.version, len(self.rows), len(self.pairs))
        return head + b"".join(pair.pack() for pair in self.pairs) + b"".join(row.pack() for row in self.rows)


@dataclass(frozen=True)
class Case:
    """The bytes of a header, and those of the tensors that follow it. sized: the length of the file is known."""

    head: bytes = field(repr=False)
    data: bytes = field(repr=False)
    sized: bool
    seed: int


def string(raw: bytes) -> bytes:
    return struct.pack("<Q", len(raw)) + raw


def number(kind: int, value: float) -> bytes:
    """`value` packed as `kind`, whatever that makes of it."""
    form = NUMBERS[GGUFValueType(kind)]
    if form in ("<f", "<d"):
        with np.errstate(over="ignore"):
            return np.array(value, form).tobytes()
    size = struct.calcsize(form)
    whole = int(value) if abs(value) < 1e30 else 0
    return (whole & (1 << 8 * size) - 1).to_bytes(size, "little")


@cache
def base(name: str) -> File:
    """The tiny model of a family, taken apart."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_tiny(Path(folder) / "tiny.gguf", TINY[name])
        reader = GGUFReader(path)
        pairs = []
        for key, found in reader.fields.items():
            if key.startswith("GGUF."):
                continue
            array = found.types[0] == GGUFValueType.ARRAY
            kind = found.types[-1]
            parts = [found.parts[index].tobytes() for index in found.data]
            items = [string(part) for part in parts] if kind == GGUFValueType.STRING else parts
            pairs.append(Pair(key.encode(), kind, items, array))
        rows = [
            Row(
                tensor.name.encode(), tensor.shape.tolist(), tensor.tensor_type, tensor.data_offset - reader.data_offset
            )
            for tensor in reader.tensors
        ]
        return File(pairs, rows, path.read_bytes()[reader.data_offset :])


@cache
def vocabularies() -> dict[str, list[Pair]]:
    """Other kinds of vocabulary, for as many tokens as the tiny models have."""
    letters = [chr(code) for code in range(0x21, 0x7F)] + list("▁äöü日本語")
    words = [f"▁{left}{right}" for left in "abcdefgh" for right in "aeiou"]
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *letters, *words]
    tokens += [f"▁word{place}" for place in range(512 - len(tokens))]
    types = [2, 3, 3, *[6] * 256, *[1] * (512 - 259)]
    common = [
        Pair(b"tokenizer.ggml.tokens", GGUFValueType.STRING, [string(token.encode()) for token in tokens], True),
        Pair(b"tokenizer.ggml.token_type", GGUFValueType.INT32, [number(5, kind) for kind in types], True),
    ]
    scores = Pair(b"tokenizer.ggml.scores", GGUFValueType.FLOAT32, [number(6, -place) for place in range(512)], True)
    merges = Pair(b"tokenizer.ggml.merges", GGUFValueType.STRING, [string(f"▁ {c}".encode()) for c in "abc"], True)
    charsmap = Pair(b"tokenizer.ggml.precompiled_charsmap", GGUFValueType.UINT8, [b"\4", *[b"\0"] * 8], True)

    def model(name: bytes) -> Pair:
        return Pair(b"tokenizer.ggml.model", GGUFValueType.STRING, [string(name)])

    return {
        "llama": [model(b"llama"), *common, scores],
        "gemma4": [model(b"gemma4"), *common, merges],
        "t5": [model(b"t5"), *common, scores, charsmap],
        "bert": [model(b"bert"), *common],
        "plamo2": [model(b"plamo2"), *common, scores],
        "rwkv": [model(b"rwkv"), *common],
        "whitespace": [model(b"whitespace"), *common, merges],
    }


def case(seed: int) -> Case:
    """A mutated header."""
    dice = random.Random(seed)
    start = base(dice.choice(FAMILIES))
    pairs = [Pair(pair.key, pair.kind, list(pair.items), pair.array) for pair in start.pairs]
    if dice.random() < 0.4:
        kept = [pair for pair in pairs if not pair.key.startswith(b"tokenizer.ggml.")]
        chosen = vocabularies()[dice.choice(sorted(vocabularies()))]
        pairs = [*kept, *(Pair(pair.key, pair.kind, list(pair.items), pair.array) for pair in chosen)]
    file = File(pairs, [Row(row.name, list(row.dims), row.kind, row.offset) for row in start.rows], start.data)
    for _ in range(dice.choice((1, 1, 1, 1, 1, 2, 3))):
        dice.choice(MUTATIONS)(file, dice)
    head = bytearray(file.pack())
    if dice.random() < 0.15:
        for _ in range(dice.choice((1, 1, 2, 8))):
            at = dice.randrange(min(len(head), 1 << dice.randrange(4, 16)))
            head[at] = dice.choice((0, 1, 0x7F, 0x80, 0xFF, dice.randrange(256)))
    if dice.random() < 0.03:
        del head[dice.randrange(len(head)) :]
    return Case(bytes(head), file.data, dice.random() < 0.7, seed)


def odd_items(dice: random.Random, kind: int, count: int) -> list[bytes]:
    if kind == GGUFValueType.STRING:
        return [string(dice.choice(STRINGS)) for _ in range(count)]
    values = dice.choices(FLOATS if dice.random() < 0.5 else INTEGERS, k=count)
    return [number(kind, value & 1 if kind == GGUFValueType.BOOL else value) if isinstance(value, int) else
            number(kind, bool(value) if kind == GGUFValueType.BOOL else value) for value in values]  # fmt: skip


def odd_pair(dice: random.Random, key: bytes, like: int | None = None, array: bool | None = None) -> Pair:
    """A value that `key` may not expect; like: of this kind."""
    kind = dice.choice([*NUMBERS, GGUFValueType.STRING]) if like is None else like
    if array is None:
        array = dice.random() < 0.3
    count = dice.choice((0, 1, 2, 3, 8, 512, 513)) if array else 1
    return Pair(key, kind, odd_items(dice, kind, count), array)


def change_value(file: File, dice: random.Random) -> None:
    place = dice.randrange(len(file.pairs))
    file.pairs[place] = odd_pair(dice, file.pairs[place].key)


def change_value_within_type(file: File, dice: random.Random) -> None:
    plain = [place for place, pair in enumerate(file.pairs) if not pair.array and pair.kind != GGUFValueType.ARRAY]
    if plain:
        place = dice.choice(plain)
        file.pairs[place] = odd_pair(dice, file.pairs[place].key, file.pairs[place].kind, array=False)


def add_pair(file: File, dice: random.Random) -> None:
    name = next((pair.items[0][8:] for pair in file.pairs if pair.key == b"general.architecture" and pair.items), b"")
    key = dice.choice(GENERAL_KEYS).encode() if dice.random() < 0.4 else name + b"." + dice.choice(KEYS).encode()
    if dice.random() < 0.95:
        file.pairs = [pair for pair in file.pairs if pair.key != key]
    like = dice.choice((None, GGUFValueType.FLOAT32, GGUFValueType.UINT32, GGUFValueType.STRING))
    file.pairs.insert(dice.randrange(len(file.pairs) + 1), odd_pair(dice, key, like))


def remove_pair(file: File, dice: random.Random) -> None:
    if file.pairs:
        del file.pairs[dice.randrange(len(file.pairs))]


def change_items(file: File, dice: random.Random) -> None:
    arrays = [pair for pair in file.pairs if pair.array and pair.items and pair.kind != GGUFValueType.ARRAY]
    if not arrays:
        return
    pair = dice.choice(arrays)
    at = dice.randrange(len(pair.items))
    match dice.randrange(7):
        case 0:
            del pair.items[at:]
        case 1:
            pair.items += odd_items(dice, pair.kind, dice.choice((1, 2, 100)))
        case 2:
            pair.items[at] = dice.choice(pair.items)
        case 3:
            pair.items.reverse()
        case 4:
            pair.items[at:] = [pair.items[at]] * (len(pair.items) - at)
        case _:
            for _ in range(dice.choice((1, 1, 3, 50))):
                pair.items[dice.randrange(len(pair.items))] = odd_items(dice, pair.kind, 1)[0]


def change_tensor(file: File, dice: random.Random) -> None:
    if not file.rows:
        return
    place = dice.randrange(len(file.rows))
    row = file.rows[place]
    match dice.randrange(10):
        case 0:
            row.kind = dice.choice([*map(int, GGMLQuantizationType), *OUTSIDE, 99, 1 << 31])
        case 1:
            row.offset = dice.choice((0, 1, 16, 32, row.offset + 32, row.offset - 32, 1 << 40, 1 << 62, 1 << 63))
        case 2:
            row.name = dice.choice(
                (*STRINGS[:20], b"blk.1e9.x", b"blk.", b"blk.99999999999.ffn_up.weight", b"output.weight")
            )
        case 3:
            del file.rows[place]
        case 4:
            file.rows.insert(dice.randrange(len(file.rows)), row)
        case 5:
            row.dims = [*row.dims, *[1] * dice.choice((1, 2, 3))]
        case 6:
            row.dims.reverse()
        case 7:
            row.dims = row.dims[:-1]
        case _:
            if row.dims:
                at = dice.randrange(len(row.dims))
                row.dims[at] = dice.choice((*INTEGERS, row.dims[at] * 2, row.dims[at] // 2, row.dims[at] + 1))


def change_version(file: File, dice: random.Random) -> None:
    file.version = dice.choice((0, 1, 2, 4, 3 << 24, 1 << 31))


def nest(file: File, dice: random.Random) -> None:
    depth = dice.choice((1, 2, 9, 200))
    value = struct.pack("<IQ", GGUFValueType.ARRAY, 1) * depth + struct.pack("<IQ", GGUFValueType.UINT8, 1) + b"\1"
    key = dice.choice(file.pairs).key if file.pairs else b"x"
    file.pairs = [pair for pair in file.pairs if pair.key != key]
    file.pairs.append(Pair(key, GGUFValueType.ARRAY, [value]))


MUTATIONS = (
    *(change_value, change_value, change_value_within_type, change_value_within_type, change_value_within_type),
    *(
        add_pair,
        add_pair,
        add_pair,
        remove_pair,
        change_items,
        change_items,
        change_items,
        change_tensor,
        change_tensor,
    ),
    *(change_version, nest),
)


def check(case: Case) -> str:
    """Read the header and make all that is made of it; some models are computed, too."""
    try:
        header = read(case)
        if header is None:
            return "cut off"
        _, tokenizer, template, _ = prepare(header)
        for backend in ("python", "tokenizers"):
            other = from_metadata(header.metadata, backend)
            for parse in (False, True):
                ids = other.encode(TEXT, parse_special=parse)
                if not all(0 <= id < tokenizer.vocab_size for id in ids):
                    raise Fault(f"ids out of the vocabulary: {ids}")
                other.decode(ids)
    except WgmlError as error:
        require_plain(str(error))
        return "refused"
    for id in range(tokenizer.vocab_size):
        tokenizer.token_bytes(id)
    tokenizer.decode(range(tokenizer.vocab_size)).encode()
    json.dumps(card(header), ensure_ascii=False).encode()
    AnswerFormat.of(template, tokenizer)
    try:
        template.render([{"role": "user", "content": "Hello"}])
    except WgmlError as error:
        require_plain(str(error))
    if case.seed % COMPUTED == 0:
        compute(case, header)
    return "loaded"


def read(case: Case) -> Header | None:
    padded = case.head + bytes(-len(case.head) % 32)
    parser = HeaderParser(len(padded) + len(case.data) if case.sized else None)
    found = None
    for start in range(0, len(padded), 4096):
        found = found or parser.feed(padded[start : start + 4096])
    return join_headers([found]) if found else None


def require_plain(message: str) -> None:
    """What a person is told is one line, with nothing in it that can't be seen."""
    if not message.isprintable() or len(message) > LONGEST_MESSAGE:
        raise Fault(f"no plain message: {message[:300]!r}")


def compute(case: Case, header: Header) -> None:
    """The reference's logits: they are numbers."""
    if header.end > header.data_offset + len(case.data):
        return  # of a length that was not known
    plain = all(tensor.type == GGMLQuantizationType.F32 for tensor in header.tensors.values())
    data = case.data if plain else bytes(len(case.data))  # as another type it need not be numbers
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.gguf"
        path.write_bytes(case.head + bytes(header.data_offset - len(case.head)) + data)
        with np.errstate(all="ignore"):
            logits: Any = NumpyModel(path).logits([1, 2, 3])
    if not np.isfinite(logits[-1]).all():
        raise Fault("logits that are no numbers")
