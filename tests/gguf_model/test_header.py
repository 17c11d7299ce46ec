"""The header parser against the gguf package's writer and reader, and against files made to harm it."""

from __future__ import annotations

import json
import random
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from work import counted

from py_wgml.errors import WgmlError
from py_wgml.gguf_model import Header, HeaderParser, TensorInfo, read_header
from py_wgml.gguf_model.card import card
from py_wgml.metadata import Metadata, decoded, encoded

TENSORS = {
    "token_embd.weight": (np.float32, (7, 64), None),
    "half.weight": (np.float16, (3, 5), None),
    "quantized.weight": (np.uint8, (6, 2 * 18), gguf.GGMLQuantizationType.Q4_0),  # 2 blocks of 32 a row
    "super.weight": (np.uint8, (2, 3, 144), gguf.GGMLQuantizationType.Q4_K),  # 1 block of 256 a row
    "scalar-like": (np.float32, (1,), None),
}


def write(path: Path, alignment: int | None = None) -> dict[str, Any]:
    """A file with every type of metadata, by gguf's own writer. Returns what is in it."""
    writer = gguf.GGUFWriter(path, "llama")
    if alignment:
        writer.add_custom_alignment(alignment)
    metadata: dict[str, Any] = {"general.architecture": "llama"}
    for kind, value in {
        "uint8": 200,
        "int8": -100,
        "uint16": 60000,
        "int16": -30000,
        "uint32": 4_000_000_000,
        "int32": -2_000_000_000,
        "uint64": 1 << 63,
        "int64": -(1 << 62),
        "float32": 0.5,
        "float64": 0.1,
        "bool": True,
        "string": "naïve 日本語 🙂",
    }.items():
        getattr(writer, f"add_{kind}")(f"test.{kind}", value)
        metadata[f"test.{kind}"] = value
    arrays: dict[str, list[Any]] = {
        "ints": [1, -2, 3],
        "floats": [0.5, 0.25],
        "bools": [True, False, True],
        "strings": ["", "a", "ΩΩ", "\x00", "x" * 1000],
        "nested": [["a", "b"], ["c"]],
        "nested_numbers": [[1, 2], [3]],
    }
    for name, values in arrays.items():
        writer.add_array(f"test.{name}", values)
        metadata[f"test.{name}"] = values
    for name, (dtype, shape, raw) in TENSORS.items():
        writer.add_tensor(name, np.ones(shape, dtype), raw_dtype=raw)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return metadata


def plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return [plain(item) for item in value] if isinstance(value, list) else value


@pytest.fixture
def small(tmp_path: Path) -> Path:
    write(tmp_path / "small.gguf")
    return tmp_path / "small.gguf"


@pytest.mark.parametrize("alignment", [None, 8, 256])
def test_metadata_is_what_the_writer_was_given(tmp_path: Path, alignment: int | None) -> None:
    expected = write(tmp_path / "a.gguf", alignment)
    header = read_header(tmp_path / "a.gguf")
    assert header.version == 3
    assert header.alignment == (alignment or 32)
    if alignment:
        expected["general.alignment"] = alignment
    assert {key: plain(value) for key, value in header.metadata.items()} == expected


@pytest.mark.parametrize("alignment", [None, 8, 256])
def test_tensors_are_what_the_reader_sees(tmp_path: Path, alignment: int | None) -> None:
    write(tmp_path / "a.gguf", alignment)
    compare_tensors(tmp_path / "a.gguf")


def compare_tensors(path: Path) -> None:
    reader = gguf.GGUFReader(path)
    header = read_header(path)
    assert header.data_offset == reader.data_offset
    assert list(header.tensors) == [tensor.name for tensor in reader.tensors]
    for theirs in reader.tensors:
        ours = header.tensors[theirs.name]
        assert ours.shape == tuple(int(length) for length in reversed(theirs.shape))
        assert (ours.type, ours.offset, ours.nbytes) == (theirs.tensor_type, theirs.data_offset, theirs.n_bytes)


def test_real_file(smollm2_path: Path) -> None:
    compare_tensors(smollm2_path)
    header = read_header(smollm2_path)
    assert header.metadata["general.architecture"] == "llama"
    assert header.metadata["tokenizer.ggml.tokens"][:2] == ["<|endoftext|>", "<|im_start|>"]
    assert header.metadata["tokenizer.ggml.token_type"].shape == (49152,)


@pytest.mark.parametrize("size", [1, 2, 7, 64, 1000])
@pytest.mark.parametrize("known", [True, False])
def test_pieces_of_any_size(small: Path, size: int, known: bool) -> None:
    data = small.read_bytes()
    expected = read_header(small)
    parser = HeaderParser(len(data) if known else None)
    header = None
    for start in range(0, len(data), size):
        header = parser.feed(memoryview(data)[start : start + size])
        if header:
            assert start + size >= expected.data_offset - 256  # not before all of it was there
            break
    assert_same(header, expected)
    assert parser.feed(b"tensor data") is header
    assert parser.close() is header


def assert_same(one: Header | None, other: Header) -> None:
    assert one is not None
    assert {key: plain(value) for key, value in one.metadata.items()} == {
        key: plain(value) for key, value in other.metadata.items()
    }
    assert (one.tensors, one.data_offset) == (other.tensors, other.data_offset)


# Headers made by hand, to be wrong in one place.


def string(text: str | bytes) -> bytes:
    raw = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<Q", len(raw)) + raw


def pair(key: str | bytes, kind: int, value: bytes) -> bytes:
    return string(key) + struct.pack("<I", kind) + value


def array(kind: int, count: int, values: bytes = b"") -> bytes:
    return struct.pack("<IQ", kind, count) + values


def tensor(name: str | bytes, dims: tuple[int, ...], kind: int = 0, offset: int = 0) -> bytes:
    return string(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, offset)


def file(pairs: tuple[bytes, ...] = (), tensors: tuple[bytes, ...] = (), version: int = 3, data: int = 4096) -> bytes:
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(pairs)) + b"".join(pairs) + b"".join(tensors)
    return head + bytes(-len(head) % 32 + data)


def test_version_2() -> None:
    header = HeaderParser().feed(file((pair("a", 0, b"\x07"),), (tensor("t", (4, 2)),), version=2))
    assert header is not None
    assert header.version == 2
    assert header.metadata == {"a": 7}
    assert header.tensors["t"] == TensorInfo("t", (2, 4), gguf.GGMLQuantizationType.F32, header.data_offset, 32)


NOT_UTF_8 = (b"caf\xc3", b"\xff\xfe", b"\xed\xa0\x80", b"a\0b", b"\x80" * 50)


@pytest.mark.parametrize("size", [1, 1 << 20])
def test_strings_that_are_no_utf_8_keep_their_bytes(size: int) -> None:
    pairs = (
        *(pair(b"key\xc3", 8, string(NOT_UTF_8[0])), pair("general.name", 8, string(b"Tin\xc3"))),
        pair("tokens", 9, array(8, len(NOT_UTF_8), b"".join(map(string, NOT_UTF_8)))),
    )
    data, parser = file(pairs, (tensor(NOT_UTF_8[1], (4,)),)), HeaderParser()
    header = next(filter(None, (parser.feed(data[at : at + size]) for at in range(0, len(data), size))))
    assert [encoded(token) for token in header.metadata["tokens"]] == list(NOT_UTF_8)
    assert encoded(header.metadata[decoded(b"key\xc3")]) == NOT_UTF_8[0]
    assert [encoded(name) for name in header.tensors] == [NOT_UTF_8[1]]
    assert Metadata(header.metadata).text("general.name") == "Tin\ufffd"
    json.dumps(card(header), ensure_ascii=False).encode()


def test_scalar_and_empty_arrays() -> None:
    header = HeaderParser().feed(
        file((pair("s", 9, array(8, 0)), pair("f", 9, array(6, 0)), pair("a", 9, array(9, 0))), (tensor("t", ()),))
    )
    assert header is not None
    assert {key: plain(value) for key, value in header.metadata.items()} == {"s": [], "f": [], "a": []}
    assert (header.tensors["t"].shape, header.tensors["t"].nbytes) == ((), 4)


def nested(depth: int) -> bytes:
    return array(9, 1) * depth + array(0, 1, b"\x01")


HUGE = 1 << 62
BAD = {
    "not a GGUF file": b"<!DOCTYPE html><html>",
    "version 1 can't be read": file(version=1),
    "version 4 can't be read": file(version=4),
    "version 0 can't be read": file(version=0),
    "big-endian": b"GGUF" + struct.pack(">IQQ", 3, 0, 0),
    "no model has more than 65536": b"GGUF" + struct.pack("<IQQ", 3, HUGE, HUGE),
    "1048577 strings": file((pair("a", 9, array(8, (1 << 20) + 1)),)),
    "too many of them": file((pair("a", 9, array(9, (1 << 16) + 1)),)),
    "no model": file((), (tensor("t", (1 << 40,)),)),
    "'a' appears twice": file((pair("a", 0, b"\0"), pair("a", 0, b"\0"))),
    "tensor 't' appears twice": file((), (tensor("t", (4,)), tensor("t", (4,), offset=32))),
    "unknown type number 77": file((pair("a", 77, b""),)),
    "elements of the unknown type number 78": file((pair("a", 9, array(78, 1)),)),
    "neither 0 nor 1": file((pair("a", 7, b"\x02"),)),
    "nested too deep": file((pair("a", 9, nested(50)),)),
    "a metadata key has a length": b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, HUGE),
    "metadata 'a' has a length": file((pair("a", 8, struct.pack("<Q", HUGE)),)),
    f"metadata 'a': {HUGE} bytes wanted": file((pair("a", 9, array(0, HUGE)),)),
    f"metadata 'a': {8 * HUGE} bytes wanted": file((pair("a", 9, array(8, HUGE)),)),
    f"metadata 'a': {12 * HUGE} bytes wanted": file((pair("a", 9, array(9, HUGE)),)),
    "general.alignment is not a power of two": file((pair("general.alignment", 4, struct.pack("<I", 24)),)),
    "tensor 't' has 5 dimensions": file((), (tensor("t", (1, 1, 1, 1, 1)),)),
    "product overflows": file((), (tensor("t", (1 << 32, 1 << 32)),)),
    "dimension of length 0": file((), (tensor("t", (4, 0)),)),
    "rows of 33 elements, not a multiple of Q4_0's block of 32": file((), (tensor("t", (33, 32), 2),)),
    "tensor 't' has the unknown type number 99": file((), (tensor("t", (32,), 99),)),
    "tensor 't' is of type Q4_2: an early type": file((), (tensor("t", (32,), 4),)),
    "tensor 't' is of type Q4_0_8_8: for one kind of CPU": file((), (tensor("t", (32,), 33),)),
    "makes of IQ4_NL as it loads; take the file of that type": file((), (tensor("t", (32,), 36),)),
    "tensor 't' is of type PQ2_0: a type of PrismML's fork": file((), (tensor("t", (128,), 142),)),
    "not aligned to 32 bytes": file((), (tensor("t", (4,), offset=16),)),
    "tensors 't' and 'u' overlap": file((), (tensor("t", (64,)), tensor("u", (4,), offset=224))),
    "offset that overflows": file((), (tensor("t", (4,), offset=(1 << 64) - 32),)),
}


@pytest.mark.parametrize("what", BAD)
@pytest.mark.parametrize("known", [True, False])
def test_bad_file_is_refused_in_one_line(what: str, known: bool) -> None:
    data = BAD[what]
    parser = HeaderParser(len(data) if known else None)
    with pytest.raises(WgmlError) as caught:
        parser.close() if parser.feed(data) is None else None
    if not (known and "bytes" in str(caught.value)):  # a known size can be the first to be hurt
        assert what in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(WgmlError):
        parser.feed(b"more")


FORKED = "so short that this is probably an early file of PrismML's fork"


@pytest.mark.parametrize(
    ("kind", "dims", "nbytes", "message"),
    [
        (42, (256, 32), 64 * 34, FORKED),
        (40, (64, 3), 6 * 6, FORKED),
        (42, (256, 32), 64 * 34 - 32, "overlap|truncated"),
        (42, (256, 32), 64 * 34 + 32, "overlap|truncated"),
        (42, (64, 33), 33 * 17, "overlap|truncated"),  # no whole number of those blocks
        (2, (256, 32), 64 * 34, "overlap|truncated"),
    ],
)
@pytest.mark.parametrize("last", [False, True])
def test_early_files_of_a_fork(kind: int, dims: tuple[int, ...], nbytes: int, message: str, last: bool) -> None:
    """Of a size that no type has now, with another tensor behind or as the last one."""
    end = -(-nbytes // 32) * 32
    data = file((), (tensor("t", dims, kind), *([] if last else [tensor("u", (4,), offset=end)])), data=end + 16)
    if last:
        data = data[: len(data) - end - 16 + nbytes]
    with pytest.raises(WgmlError, match=message):
        HeaderParser(len(data)).feed(data)


def test_types_that_the_gguf_package_does_not_list() -> None:
    header = HeaderParser().feed(file((), (tensor("t", (128, 3), 42), tensor("u", (128,), 41, offset=128))))
    assert header is not None
    assert [(t.type, t.type.name, t.nbytes) for t in header.tensors.values()] == [(42, "Q2_0", 108), (41, "Q1_0", 18)]


def test_tensor_past_the_end_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "cut.gguf"
    path.write_bytes(file((), (tensor("t", (2048,)),), data=4096))
    with pytest.raises(WgmlError, match="truncated: tensor 't' ends at byte"):
        read_header(path)


@pytest.mark.parametrize("size", [0, 3, 4, 20, 100])
def test_truncated_header(tmp_path: Path, size: int) -> None:
    path = tmp_path / "cut.gguf"
    path.write_bytes(file((pair("a", 8, string("x" * 200)),))[:size])
    with pytest.raises(WgmlError, match=r"truncated|can't hold"):
        read_header(path)


def test_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WgmlError, match=r"can't read .*No such file"):
        read_header(tmp_path / "none.gguf")


@pytest.mark.parametrize("path", [None, 5, b"a.gguf", [], "a\0b", "a\ud800", "", "x" * 9999])
def test_what_is_no_path(path: Any) -> None:
    with pytest.raises(WgmlError, match=r"^(the path is .*, not text|can't read .*)$"):
        read_header(path)


def test_name_from_the_file_stays_in_the_line() -> None:
    with pytest.raises(WgmlError) as caught:
        HeaderParser().feed(file((), (tensor("evil\nname" + "x" * 5000, (32,), 99),)))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_counts_cost_nothing_before_the_bytes_are_there() -> None:
    # As many as are allowed: nothing may be made for them beforehand.
    tracemalloc.start()
    parser = HeaderParser()
    assert parser.feed(b"GGUF" + struct.pack("<IQQ", 3, 60_000, 60_000)) is None
    assert parser.feed(pair("a", 9, array(8, 1_000_000))) is None
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_work_grows_with_the_bytes_not_with_the_pieces() -> None:
    words = b"".join(string(f"token {number}") for number in range(50_000))
    data = file((pair("a", 9, array(8, 50_000, words)),))

    def work(size: int) -> int:
        parser = HeaderParser()
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
        return counted(lambda: next(header for piece in pieces if (header := parser.feed(piece))))[1]

    assert work(50) < 10 * work(len(data))  # some 20,000 pieces


@pytest.mark.parametrize("seed", range(4))
def test_damaged_headers_never_do_anything_else(small: Path, seed: int) -> None:
    good = small.read_bytes()
    dice = random.Random(seed)
    outcomes = {"header": 0, "refused": 0, "more": 0}
    for _ in range(1500):
        data = bytearray(good[: dice.randrange(len(good))] if dice.random() < 0.2 else good)
        for _ in range(dice.choice([1, 1, 2, 8])):
            if data:
                data[dice.randrange(min(len(data), 2000))] = dice.choice([0, 1, 0x7F, 0x80, 0xFF, dice.randrange(256)])
        parser = HeaderParser(dice.choice([None, len(data)]))
        try:
            outcomes["more" if parser.feed(data) is None else "header"] += 1
        except WgmlError as error:
            outcomes["refused" if "\n" not in str(error) else "in two lines"] += 1  # KeyError
    assert all(outcomes.values())
