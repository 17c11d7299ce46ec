"""Sources: one file or the parts of a split model, from disk, over HTTP and from open files; offsets above 4 GiB."""

from __future__ import annotations

import asyncio
import io
import math
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from py_wgml import downloads
from py_wgml.downloads import remote
from py_wgml.downloads.remote import web_address
from py_wgml.errors import WgmlError
from py_wgml.gguf_model import Header
from py_wgml.gguf_model.source import Source, SplitSource, open_source, part_names
from py_wgml.gguf_model.weights import Segment

TENSORS = {f"blk.{number}.weight": np.full((3 + number, 32), number, np.float32) for number in range(7)}


class Memory:
    """As much of a device as an upload needs: its buffers are bytearrays."""

    def write(self, buffer: bytearray, data: bytes, offset: int) -> None:
        buffer[offset : offset + len(data)] = data

    async def written(self) -> None:
        """They are at once."""


def write(path: Path, **split: Any) -> list[Path]:
    """A file by gguf's own writer, or the parts into which it splits it."""
    writer = gguf.GGUFWriter(path, "llama", **split)
    writer.add_name("a model")
    for name, values in TENSORS.items():
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return sorted(path.parent.glob(f"{path.stem}*.gguf"))


def load(source: Source, names: list[str] | None = None) -> tuple[Header, dict[str, bytes], list[tuple[int, int]]]:
    """What the header says, the bytes of each tensor as they were uploaded, and the progress reported."""
    progress: list[tuple[int, int]] = []

    async def run() -> tuple[Header, dict[str, bytearray]]:
        header = await source.header()
        wanted = [header.tensors[name] for name in names or header.tensors]
        buffers = {tensor.name: bytearray(tensor.nbytes) for tensor in wanted}
        segments: Any = [Segment(t.offset, t.nbytes, buffers[t.name], 0) for t in wanted]  # type: ignore[arg-type]
        await source.upload(Memory(), segments, lambda done, total: progress.append((done, total)))  # type: ignore[arg-type]
        return header, buffers

    try:
        header, buffers = asyncio.run(run())
    finally:
        source.close()
    return header, {name: bytes(buffer) for name, buffer in buffers.items()}, progress


def check(source: Source, size: int | None) -> None:
    header, tensors, progress = load(source)
    assert tensors == {name: values.tobytes() for name, values in TENSORS.items()}
    assert header.metadata["general.name"] == "a model"
    assert not any(key.startswith("split.") for key in header.metadata)
    assert [done for done, _ in progress] == sorted(done for done, _ in progress)
    assert {total for _, total in progress} == {size or 0}
    assert size is None or progress[-1][0] <= size


@pytest.fixture(params=[{"split_max_tensors": 3}, {"split_max_tensors": 2, "small_first_shard": True}])
def parts(request: pytest.FixtureRequest, tmp_path: Path) -> list[Path]:
    found = write(tmp_path / "model.gguf", **request.param)
    assert len(found) > 2
    return found


def test_one_file(tmp_path: Path) -> None:
    (path,) = write(tmp_path / "whole.gguf")
    check(open_source(path), path.stat().st_size)
    with path.open("rb") as stream:
        check(open_source(stream), None)


def test_parts_are_found_from_the_name_of_any(parts: list[Path]) -> None:
    size = sum(part.stat().st_size for part in parts)
    check(open_source(parts[0]), size)
    check(open_source(str(parts[-1])), size)


def test_parts_given_in_any_order_under_any_name(parts: list[Path]) -> None:
    size = sum(part.stat().st_size for part in parts)
    renamed = [part.rename(part.with_name(f"{number}.gguf")) for number, part in enumerate(parts)]
    check(open_source(renamed[::-1]), size)
    check(SplitSource([open_source(part.open("rb")) for part in renamed]), None)


def test_missing_part(parts: list[Path]) -> None:
    parts[1].unlink()
    with pytest.raises(WgmlError, match=rf"can't open .*{parts[1].name} \(part 2 of {len(parts)}\): .*No such file"):
        open_source(parts[0])
    with pytest.raises(WgmlError, match=f"this model is split into {len(parts)} files; missing: part 2$"):
        load(open_source([parts[0], *parts[2:]]))
    with pytest.raises(WgmlError, match=r"missing: part 2, part 3(, part 4 and 1 more)?$"):
        load(open_source(parts[0].open("rb")))


def test_parts_of_different_models(parts: list[Path], tmp_path: Path) -> None:
    (whole,) = write(tmp_path / "whole.gguf")
    other = write(tmp_path / "other.gguf", split_max_tensors=6)
    for mixed in [*parts, parts[0]], [*parts, whole], [whole, whole], [*parts[:-1], other[-1]]:
        with pytest.raises(WgmlError, match="not the parts of one split model"):
            load(open_source(mixed))
    writer = gguf.GGUFWriter(tmp_path / "odd.gguf", "llama")
    writer.add_string("split.count", "2")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(WgmlError, match=r"split\.count is not a whole number"):
        load(open_source(tmp_path / "odd.gguf"))


@pytest.mark.parametrize("key", [b"split.count", b"split.tensors.count"])
def test_parts_that_do_not_hold_what_the_first_says(parts: list[Path], key: bytes) -> None:
    data = bytearray(parts[0].read_bytes())
    data[data.index(key) + len(key) + 4] += 1
    parts[0].write_bytes(data)
    with pytest.raises(WgmlError, match=r"not the parts of one|the parts of the model hold 7 tensors, not 8"):
        load(open_source(parts))


def test_parts_without_number(parts: list[Path]) -> None:
    data = bytearray(parts[0].read_bytes())
    at = data.index(b"split.count") + len(b"split.count")
    struct.pack_into("<IH", data, at, gguf.GGUFValueType.UINT16, 0)
    parts[0].write_bytes(data)
    with pytest.raises(WgmlError, match="not the parts of one split model"):
        load(open_source(parts))
    key = b"split.count"
    many = struct.pack("<IQQQ", 3, 0, 1, len(key)) + key + struct.pack("<IQ", gguf.GGUFValueType.UINT64, 1 << 60)
    with pytest.raises(WgmlError, match="not the parts of one split model"):
        load(open_source(io.BytesIO(b"GGUF" + many)))


def test_part_that_ends_early(parts: list[Path]) -> None:
    whole = parts[-1].read_bytes()
    parts[-1].write_bytes(whole[:-64])
    with pytest.raises(WgmlError, match="truncated"):
        load(open_source(parts[0]))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path)) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_over_http(server: str, parts: list[Path]) -> None:
    check(open_source(f"{server}/{parts[0].name}"), sum(part.stat().st_size for part in parts))
    parts[2].unlink()
    with pytest.raises(WgmlError, match=rf"can't open \(part 3 of {len(parts)}\) {server}.*: HTTP status 404"):
        open_source(f"{server}/{parts[0].name}")


@pytest.fixture
def odd_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """Starts a server that answers whoever asks with some bytes, waits, and resets or closes the connection."""
    monkeypatch.setattr(remote, "PATIENCE", 0.2)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    listeners: list[socket.socket] = []

    def serve(answer: bytes, wait: float = 0, reset: bool = False) -> str:
        def run() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(answer)
                time.sleep(wait)
                if reset:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        threading.Thread(target=run, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/model.gguf"

    yield serve
    for listener in listeners:
        listener.close()


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("answer", "options", "says"),
    [
        (b"SSH-2.0-server\r\n", {}, "can't open .*no connection"),
        (b"", {}, "can't open .*no connection"),
        (b"", {"wait": 1}, "can't open .*timed out"),
        (OK + b"Content-Length: 99\r\n\r\n", {"wait": 1}, "no connection at byte 0 of 99 .*timed out"),
        (OK + b"Content-Length: 99\r\n\r\nGGUF", {}, "no connection at byte 4 of 99"),
        (OK + b"Content-Length: abc\r\n\r\nGGUF", {}, "truncated"),
        (OK + b"Content-Length: -1\r\n\r\nGGUF", {}, "truncated"),
        (OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nGGUF", {}, "truncated"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nGGUF", {}, "http://.*: no connection"),
        (OK + b"Content-Length: 9999\r\n\r\nGGUF", {"wait": 0.1, "reset": True}, "no connection at byte . of 9,999"),
        (OK + b"X: y\r\n" * 200 + b"\r\n", {}, "can't open .*no connection"),
    ],
)
def test_servers_that_break_off(
    answer: bytes, options: dict[str, Any], says: str, odd_server: Callable[..., str]
) -> None:
    with pytest.raises(WgmlError, match=says) as error:
        load(open_source(odd_server(answer, **options)))
    assert "\n" not in str(error.value)


def test_addresses_in_any_characters(server: str, tmp_path: Path) -> None:
    name = "ein süßes modell%20.gguf"
    write(tmp_path / "model.gguf")[0].rename(tmp_path / name.replace("%20", " "))
    check(open_source(f"{server}/{name}?ä=b#ü"), (tmp_path / name.replace("%20", " ")).stat().st_size)
    assert web_address("https://bücher.example:8080?ä") == "https://xn--bcher-kva.example:8080?%C3%A4"


class Failing(io.BytesIO):
    """Raises what no file does."""

    def read(self, *_: Any) -> bytes:
        raise zlib.error("bad\ndata")


NO_PATHS: tuple[Any, ...] = (None, 5, {}, math.nan, iter("a"))


@pytest.mark.parametrize(
    ("model", "says"),
    [
        *((value, "not a path, an address") for value in NO_PATHS),
        *((kind(b"a"), "bad GGUF file: the magic") for kind in (bytes, bytearray, memoryview)),
        *(([value], "part 1 of the model is .*, not text") for value in (None, b"a", 5, io.BytesIO())),
        ((5,), "part 1 of the model is the int 5, not text"),
        ([], "the model is a list without a single path"),
        ("", "can't open"),
        ("a\0b", "can't open .*null"),
        ("a\ud800.gguf", "can't open .*surrogates"),
        (["a" * 9999], "can't open .*too long"),
        ("http://127.0.0.1:1/é.gguf", "can't open .*refused"),
        ("http://127.0.0.1:1/a\nb\ud800", "can't open .*surrogates"),
        ("http://[", "can't open"),
        ("http://", "can't open"),
        ("http://localhost:abc/x", "can't open .*port"),
        ("https://ex ample.com/x.gguf", "can't open .*control characters"),
        ("http://" + "ü" * 99 + ".example/", "can't open .*too long"),
        (io.StringIO("GGUF"), "is the str 'GGUF', not bytes"),
        (io.BufferedWriter(io.BytesIO()), "can't read the model"),
        (Failing(b"a"), "can't read the model: bad data"),
    ],
)
def test_what_cannot_be_opened_or_read(model: Any, says: str) -> None:
    with pytest.raises(WgmlError, match=says):
        load(open_source(model))


def test_names_on_the_hub_are_addresses_unless_there_is_such_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def open_url(url: str, keep: bool) -> None:
        asked.append(url)
        raise OSError("no connection")

    monkeypatch.setattr(downloads, "open_url", open_url)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WgmlError, match="no connection"):
        open_source("owner/repo/file.gguf")
    assert asked == ["https://huggingface.co/owner/repo/resolve/main/file.gguf"]
    Path("owner/repo").mkdir(parents=True)
    Path("owner/repo/file.gguf").write_bytes(b"GGUF")
    source = open_source("owner/repo/file.gguf")
    assert (source.name, source.size, len(asked)) == ("file.gguf", 4, 1)
    source.close()


def test_a_file_that_was_closed(tmp_path: Path) -> None:
    [path] = write(tmp_path / "model.gguf")
    with path.open("rb") as file:
        pass
    with pytest.raises(WgmlError, match=r"can't read .*model\.gguf: .*closed file"):
        load(open_source(file))


def test_streams_that_give_less_than_was_asked_for(tmp_path: Path) -> None:
    """As pipes do. This one can't seek either, and its name is a number, as a temporary file's."""

    class Pipe:
        name = 3

        def __init__(self, data: bytes) -> None:
            self._file = io.BytesIO(data)
            self.close = self._file.close

        def read(self, count: int) -> bytes:
            return self._file.read(min(count, 7))

    [path] = write(tmp_path / "model.gguf")
    source = open_source(Pipe(path.read_bytes()))  # type: ignore[arg-type]
    assert source.name == "the model"
    check(source, None)


def test_offsets_above_4_gib(tmp_path: Path) -> None:
    """Sparse files of 5 GiB and more: the disk holds their first and last pages alone."""
    values = np.arange(64, dtype=np.float32)

    def sparse(path: Path, gibibytes: int, name: str, part: int) -> Path:
        writer = gguf.GGUFWriter(path, "llama")
        writer.add_uint16("split.no", part)
        writer.add_uint16("split.count", 2)
        writer.add_tensor_info(f"big{part}", [gibibytes << 18, 1024], np.dtype(np.float32), gibibytes << 30)
        writer.add_tensor_info(name, values.shape, values.dtype, values.nbytes)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        writer.close()
        start = -(-path.stat().st_size // 32) * 32
        with path.open("r+b") as file:
            file.seek(start + (gibibytes << 30))
            file.write((part + values).tobytes())
        return path

    paths = [sparse(tmp_path / "a.gguf", 5, "one", 0), sparse(tmp_path / "b.gguf", 6, "two", 1)]
    header, tensors, progress = load(open_source(paths), ["one", "two"])
    assert tensors == {"one": values.tobytes(), "two": (1 + values).tobytes()}
    assert (header.tensors["one"].offset >> 30, header.tensors["two"].offset >> 30) == (5, 11)
    assert progress[-1] == (sum(path.stat().st_size for path in paths),) * 2


def test_names_of_parts() -> None:
    assert part_names("a/model.gguf") == ["a/model.gguf"]
    assert part_names("model-00001-of-00001.gguf") == ["model-00001-of-00001.gguf"]
    assert part_names("m-00001-of-00000.gguf") == ["m-00001-of-00000.gguf"]
    assert part_names("https://x.org/m-00002-of-00003.gguf?download=true") == [
        f"https://x.org/m-0000{number}-of-00003.gguf?download=true" for number in (1, 2, 3)
    ]
