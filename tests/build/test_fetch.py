"""Fetching: every way in which a download can go wrong, from a server on this machine."""

from __future__ import annotations

import hashlib
import http.server
import io
import socket
import socketserver
import ssl
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from web.build import fetching, lock, models, paths, pins
from web.build.errors import FAILED, MISMATCH, NETWORK, USAGE, Stop
from web.build.pins import Pin

CONTENT = bytes(range(256)) * 4000


class Unreliable(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT at every path; what goes wrong is in the class attributes."""

    ranges = True
    break_after: list[int] = []  # noqa: RUF012  the next answers end after so many bytes of content
    statuses: list[int] = []  # noqa: RUF012  the next answers have these statuses
    asked: list[str | None] = []  # noqa: RUF012  the Range header of each request

    def do_GET(self) -> None:
        self.asked.append(self.headers.get("Range"))
        if self.statuses:
            self.send_error(self.statuses.pop(0))
            return
        first, end = 0, len(CONTENT)
        if self.ranges and (asked := self.headers.get("Range")):
            low, high = asked.removeprefix("bytes=").split("-")
            first, end = int(low), int(high) + 1 if high else end
            self.send_response(206)
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(end - first))
        self.end_headers()
        self.wfile.write(CONTENT[first : first + self.break_after.pop(0)] if self.break_after else CONTENT[first:end])

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name, value in (("ranges", True), ("break_after", []), ("statuses", []), ("asked", [])):
        monkeypatch.setattr(Unreliable, name, value)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    started = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Unreliable)
    threading.Thread(target=started.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{started.server_port}/file"
    started.shutdown()
    started.server_close()


def test_whole_file(server: str, tmp_path: Path) -> None:
    fetching.download(server, tmp_path / "x", "x")
    assert (tmp_path / "x").read_bytes() == CONTENT


def test_broken_connection_goes_on_where_it_was(server: str, tmp_path: Path) -> None:
    Unreliable.break_after = [300_000, 200_000]
    fetching.download(server, tmp_path / "x", "x")
    assert (tmp_path / "x").read_bytes() == CONTENT
    assert Unreliable.asked == [None, "bytes=300000-", "bytes=500000-"]


def test_half_file_of_an_earlier_run_is_kept(server: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(CONTENT[:1000])
    fetching.download(server, tmp_path / "x", "x")
    assert (tmp_path / "x").read_bytes() == CONTENT
    assert Unreliable.asked == ["bytes=1000-"]


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("kept", [0, 70])
def test_span_with_and_without_ranges(server: str, tmp_path: Path, ranges: bool, kept: int) -> None:
    Unreliable.ranges = ranges
    (tmp_path / "x").write_bytes(CONTENT[300_000 : 300_000 + kept])
    fetching.download(server, tmp_path / "x", "x", [300_000, 123_456])
    assert (tmp_path / "x").read_bytes() == CONTENT[300_000:423_456]


def test_server_trouble_is_tried_again(server: str, tmp_path: Path) -> None:
    Unreliable.statuses = [500, 503, 429]
    fetching.download(server, tmp_path / "x", "x")
    assert (tmp_path / "x").read_bytes() == CONTENT


def test_missing_file_is_told_at_once(server: str, tmp_path: Path) -> None:
    Unreliable.statuses = [404]
    with pytest.raises(Stop, match="x: HTTP status 404") as stop:
        fetching.download(server, tmp_path / "x", "x")
    assert stop.value.code == NETWORK
    assert len(Unreliable.asked) == 1


def test_connection_that_always_breaks_ends(server: str, tmp_path: Path) -> None:
    Unreliable.break_after = [10, *[0] * 20]
    with pytest.raises(Stop, match="no connection") as stop:
        fetching.download(server, tmp_path / "x", "x")
    assert stop.value.code == NETWORK
    assert (tmp_path / "x").stat().st_size == 10, "what has come is kept"


def test_nobody_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    with pytest.raises(Stop, match="no connection") as stop:
        fetching.download("http://127.0.0.1:9/file", tmp_path / "x", "x")
    assert stop.value.code == NETWORK


class Line:
    """A server that sends ANSWERS as they are, one a connection, the last one for ever; `asked` is what came."""

    def __init__(self, answers: list[bytes]) -> None:
        self.answers = answers
        self.asked: list[bytes] = []
        owner = self

        class Raw(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                owner.asked.append(self.request.recv(1 << 16))
                self.request.sendall(owner.answers.pop(0) if len(owner.answers) > 1 else owner.answers[0])

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Raw)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Line]]:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    started: list[Line] = []

    def start(*answers: str) -> Line:
        started.append(Line([answer.replace("\n", "\r\n").encode("latin-1") for answer in answers]))
        return started[-1]

    yield start
    for each in started:
        each.server.shutdown()
        each.server.server_close()


@pytest.mark.parametrize(
    ("answer", "told", "asked"),
    [
        ("302 Found\nLocation: /file", "its server's redirects go in a circle", 5),
        ("307 Again\nLocation: ./file?", "its server's redirects go in a circle", None),
        ("302 Found\nLocation: file:///etc/passwd", "redirected to what is no web address, HTTP status 302", 1),
        ("302 Found\nLocation: ftp://127.0.0.1/x", "redirected to what is no web address, HTTP status 302", 1),
        ("301 Moved\nLocation: javascript:alert(1)", "redirected to what is no web address, HTTP status 301", 1),
        ("302 Found", "redirected to what is no web address, HTTP status 302", 1),
        ("300 Many", "redirected to what is no web address, HTTP status 300", 1),
        ("401 Unauthorized", "HTTP status 401", 1),
        ("403 Forbidden", "HTTP status 403", 1),
        ("407 Proxy", "the proxy wants a name and a password, as in http://NAME:PASSWORD@HOST:PORT", 1),
        ("410 Gone", "HTTP status 410", 1),
    ],
)
def test_an_answer_that_no_other_try_would_change(
    answer: str, told: str, asked: int | None, line: Callable[..., Line], tmp_path: Path
) -> None:
    server = line(f"HTTP/1.1 {answer}\nContent-Length: 0\n\n")
    with pytest.raises(Stop) as stop:
        fetching.download(f"{server.address}/file", tmp_path / "x", "x")
    assert (str(stop.value), stop.value.code) == (f"x: {told}", NETWORK)
    assert asked is None or len(server.asked) == asked
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "no HTTP at all\n\n",
        "HTTP/1.1 200 OK\nContent-Length: 10\n\nshort",
        "HTTP/1.1 206 Part\nContent-Length: 3\nContent-Range: bytes 7-9/10\n\nabc",
        "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\nx\n",
        "HTTP/1.1 200 OK\n" + "X: y\n" * 500,
        "HTTP/1.1 502 Bad\nContent-Length: 0\n\n",
    ],
)
def test_an_answer_that_is_asked_for_again(answer: str, line: Callable[..., Line], tmp_path: Path) -> None:
    server = line(answer, "HTTP/1.1 200 OK\nContent-Length: 3\n\nabc")
    fetching.download(f"{server.address}/file", tmp_path / "x", "x")
    assert (tmp_path / "x").read_bytes() == b"abc"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    server = line(answer)
    with pytest.raises(Stop, match="no connection") as stop:
        fetching.download(f"{server.address}/file", tmp_path / "y", "y")
    assert "\n" not in str(stop.value)


@pytest.mark.parametrize("length", ["x", "-5", "+3", "1_0", "9" * 5000, "\u00b2", ""])
def test_a_length_that_is_none(length: str, line: Callable[..., Line], tmp_path: Path) -> None:
    server = line(f"HTTP/1.0 200 OK\nContent-Length: {length}\n\nabc")
    fetching.download(f"{server.address}/file", tmp_path / "x", "x")
    assert (tmp_path / "x").read_bytes() == b"abc"


def test_a_file_that_was_changed_meanwhile_is_not_mixed_with_its_successor(
    line: Callable[..., Line], tmp_path: Path
) -> None:
    first = 'HTTP/1.1 200 OK\nETag: "1"\nContent-Length: 10\n\nold'
    second = 'HTTP/1.1 200 OK\nETag: "2"\nContent-Length: 6\n\nnewer!'
    server = line(first, second)
    fetching.download(f"{server.address}/file", tmp_path / "x", "x")
    assert (tmp_path / "x").read_bytes() == b"newer!"
    assert b'If-Range: "1"' in server.asked[1]
    # Also when the first half came in an earlier run; a date serves where there is no tag that promises enough.
    tag = 'W/"1"\nLast-Modified: Wed, 21 Oct 2015 07:28:00 GMT'
    server = line(first.replace('"1"', tag), "HTTP/1.1 404 No\nContent-Length: 0\n\n")
    with pytest.raises(Stop, match="404"):
        fetching.download(f"{server.address}/file", tmp_path / "y", "y")
    server = line(second)
    fetching.download(f"{server.address}/file", tmp_path / "y", "y")
    assert (tmp_path / "y").read_bytes() == b"newer!"
    assert b"If-Range: Wed, 21 Oct 2015 07:28:00 GMT" in server.asked[0]


def test_a_beginning_longer_than_the_file_is_begun_anew(line: Callable[..., Line], tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"too long")
    server = line(
        "HTTP/1.1 416 No\nContent-Range: bytes */3\nContent-Length: 0\n\n", "HTTP/1.1 200 OK\nContent-Length: 3\n\nabc"
    )
    fetching.download(f"{server.address}/file", tmp_path / "x", "x")
    assert (tmp_path / "x").read_bytes() == b"abc"


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("http://127.0.0.1:x/file", USAGE),
        ("http://127.0.0.1/a b", USAGE),
        ("http://\u00e9.invalid/" + "\u00e9", USAGE),
        ("http://" + "a" * 70 + ".invalid/", USAGE),
        ("http:///file", USAGE),
        ("http://no-such-host.invalid/file", NETWORK),
        ("file:///no/such/file", NETWORK),
    ],
)
def test_an_address_that_leads_nowhere(
    address: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Stop) as stop:
        fetching.download(address, tmp_path / "x", "x")
    assert (stop.value.code, "\n" in str(stop.value)) == (code, False), stop.value


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("407 Proxy Authentication Required", "the proxy wants a name"),
        ("403 Forbidden", "the proxy answers HTTP status 403"),
    ],
)
def test_a_proxy_that_refuses(
    status: str, told: str, line: Callable[..., Line], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = line(f"HTTP/1.1 {status}\n\n")
    monkeypatch.setenv("https_proxy", server.address)
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(Stop, match=told) as stop:
        fetching.download("https://models.invalid/file", tmp_path / "x", "x")
    assert (stop.value.code, len(server.asked)) == (NETWORK, 1)


def test_a_certificate_that_nobody_vouches_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def refuse(*_: Any, **__: Any) -> None:
        asked.append(1)
        error = ssl.SSLCertVerificationError(1, "certificate verify failed")
        error.verify_message = "self-signed certificate"
        raise error

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.delenv("https_proxy", raising=False)
    with pytest.raises(Stop, match=r"is not trusted \(self-signed certificate\); SSL_CERT_FILE names") as stop:
        fetching.download("https://models.invalid/file", tmp_path / "x", "x")
    assert (stop.value.code, asked) == (NETWORK, [1])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is full")
def test_a_full_disk_is_told_as_one(server: str, tmp_path: Path) -> None:
    (tmp_path / "x").symlink_to("/dev/full")
    with pytest.raises(Stop, match="can't be written: No space left on device") as stop:
        fetching.download(server, tmp_path / "x", "x")
    assert stop.value.code == FAILED
    assert len(Unreliable.asked) == 1


def test_a_folder_that_is_gone_is_told(server: str, tmp_path: Path) -> None:
    with pytest.raises(Stop, match="can't be written: No such file") as stop:
        fetching.download(server, tmp_path / "none" / "x", "x")
    assert stop.value.code == FAILED


@pytest.mark.parametrize("body", ["<!DOCTYPE html><title>Sign in</title>", "\n  <html>"])
def test_a_web_page_in_place_of_a_model(body: str, line: Callable[..., Line]) -> None:
    server = line(
        f"HTTP/1.0 200 OK\nContent-Type: text/html\n\n{body}", "HTTP/1.1 200 OK\nContent-Length: 8\n\nGGUF\x03\0\0\0"
    )
    with pytest.raises(Stop, match="not a GGUF file, but a web page") as stop:
        models.given_model(f"{server.address}/m.gguf")
    assert stop.value.code == USAGE
    assert models.given_model(f"{server.address}/m.gguf").path.read_bytes()[:4] == b"GGUF"  # it was not kept


@pytest.mark.parametrize(
    ("address", "asked", "name"),
    [
        ("/a b/\u00e9.gguf", "/a%20b/%C3%A9.gguf", "\u00e9.gguf"),
        ("/x.gguf?download=true#top", "/x.gguf?download=true", "x.gguf"),
        ("/", "/", "model.gguf"),
        ("/%2e%2e", "/%2e%2e", "model.gguf"),
        ("/a%00b.gguf", "/a%00b.gguf", "a_b.gguf"),
        ("/..%2f..%5c.gguf", "/..%2f..%5c.gguf", "_.._.gguf"),
        ("/" + "a" * 300 + ".gguf", "/" + "a" * 300 + ".gguf", "a" * 195 + ".gguf"),
    ],
)
def test_the_name_of_a_model_of_another_server(
    address: str, asked: str, name: str, line: Callable[..., Line], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    server = line("HTTP/1.1 200 OK\nContent-Length: 8\n\nGGUF\x03\0\0\0")
    model = models.given_model(server.address.replace("http", "HTTP") + address)
    assert server.asked[0].split()[1].decode() == asked
    assert model.file == name
    assert model.path.is_relative_to(tmp_path / "py_wgml")


def test_the_address_of_a_page_about_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def fetched(url: str) -> Path:
        asked.append(url)
        (tmp_path / "file.gguf").write_bytes(b"GGUF")
        return tmp_path / "file.gguf"

    monkeypatch.setattr(models, "fetched", fetched)
    models.given_model("https://huggingface.co/owner/repository/blob/main/file.gguf")
    assert asked == ["https://huggingface.co/owner/repository/resolve/main/file.gguf"]


@pytest.fixture
def pinned(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Pin]:
    """Parts whose package lies on the local server."""
    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(pins, "addresses", lambda pins: [server for _ in pins])

    def pin(content: bytes, **options: Any) -> Pin:
        return Pin("thing.whl", "wheel", "thing==1", hashlib.sha256(content).hexdigest(), 0, **options)

    return pin


def test_second_fetch_asks_nobody(pinned: Callable[..., Pin]) -> None:
    pin = pinned(CONTENT)
    pins.fetch([pin])
    pins.fetch([pin])
    assert pin.path.read_bytes() == CONTENT
    assert len(Unreliable.asked) == 1


def test_wrong_sum_keeps_nothing(pinned: Callable[..., Pin]) -> None:
    pin = pinned(b"something else")
    with pytest.raises(Stop, match=r"thing\.whl: the sha256 sum") as stop:
        pins.fetch([pin])
    assert stop.value.code == MISMATCH
    assert not list(pin.path.parent.iterdir())


def test_changed_file_in_the_cache_is_deleted(pinned: Callable[..., Pin]) -> None:
    pin = pinned(CONTENT)
    pins.fetch([pin])
    pin.path.write_bytes(b"changed")
    with pytest.raises(Stop, match=r"thing\.whl") as stop:
        pins.fetch([pin])
    assert stop.value.code == MISMATCH
    assert not pin.path.exists()
    pins.fetch([pin])
    assert pin.path.read_bytes() == CONTENT


def test_member_of_a_package(pinned: Callable[..., Pin], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = b"one file of many " * 1000
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("before.bin", CONTENT)
        package.writestr("folder/member.txt", text)
        package.writestr("after.bin", CONTENT)
    (tmp_path / "thing.zip").write_bytes(archive.getvalue())
    monkeypatch.setitem(globals(), "CONTENT", archive.getvalue())
    found = lock.member(tmp_path / "thing.zip", "folder/member.txt", "wheel", "thing==1")
    pins.fetch([found])
    assert found.path.read_bytes() == text
    assert isinstance(found.at, list)
    first, count = found.at
    assert Unreliable.asked == [f"bytes={first}-{first + count - 1}"]


def test_damaged_member_keeps_nothing(pinned: Callable[..., Pin]) -> None:
    pin = pinned(CONTENT, at=[5, 100])
    with pytest.raises(Stop) as stop:
        pins.fetch([pin])
    assert stop.value.code == MISMATCH
    assert not list(pin.path.parent.iterdir())


def test_no_network_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "CACHE", tmp_path)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(Stop, match="pip could not fetch") as stop:
        pins.fetch([Pin("thing", "wheel", "py-wgml-no-such==1", "0" * 64, 0)])
    assert stop.value.code == NETWORK
    assert "\n" not in str(stop.value)
