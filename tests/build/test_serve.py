"""The server: types, ranges, names, and what it says to whoever asks for something else."""

from __future__ import annotations

import http.client
import os
import re
import socket
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import build
from web.build import serving
from web.build.errors import NO_PORT, USAGE, Stop

CONTENT = bytes(range(256)) * 10


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "model.gguf").write_bytes(CONTENT)
    for name in ("a.mjs", "a.js", "a.wasm", "a.json", "a.css", "a.svg", "a.webmanifest"):
        (tmp_path / name).write_text("")
    (tmp_path / "folder").mkdir()
    return tmp_path


@pytest.fixture
def connection(folder: Path) -> Iterator[http.client.HTTPConnection]:
    with serving.serving(folder) as url:
        opened = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=10)
        yield opened
        opened.close()


@contextmanager
def running(folder: Path, host: str = "localhost") -> Iterator[Callable[[str], bytes]]:
    """`ask(bytes as they go over the wire, in latin-1)` is all that a server at `host` answers until it hangs up."""
    server = serving.make_server(folder, host, 0)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def ask(request: str) -> bytes:
        at = "::1" if server.address_family == socket.AF_INET6 else "127.0.0.1"
        with socket.create_connection((at, server.server_port), 10) as opened:
            opened.sendall(request.encode("latin-1"))
            opened.shutdown(socket.SHUT_WR)
            answer = b""
            while block := opened.recv(1 << 16):
                answer += block
        return answer

    try:
        yield ask
    finally:
        server.shutdown()
        server.server_close()


def status_of(answer: bytes) -> int:
    """Of an answer that is whole and tells a browser to guess at nothing."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"\r\nX-Content-Type-Options: nosniff" in head
    if length := re.search(rb"\r\nContent-Length: (\d+)", head):
        assert len(body) == int(length[1])
    return int(head.split()[1])


def get(
    connection: http.client.HTTPConnection, path: str, method: str = "GET", **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/index.html?x=1#y", "text/html"),
        ("/a.mjs", "text/javascript"),
        ("/a.js", "text/javascript"),
        ("/a.wasm", "application/wasm"),
        ("/a.json", "application/json"),
        ("/a.css", "text/css"),
        ("/a.svg", "image/svg+xml"),
        ("/a.webmanifest", "application/manifest+json"),
    ],
)
def test_types(connection: http.client.HTTPConnection, path: str, kind: str) -> None:
    status, headers, _ = get(connection, path)
    assert (status, headers["Content-Type"]) == (200, kind)


@pytest.mark.parametrize(
    ("asked", "first", "end"),
    [("bytes=100-199", 100, 200), ("bytes=100-", 100, 2560), ("bytes=-60", 2500, 2560), ("bytes=0-9999", 0, 2560)],
)
def test_range(connection: http.client.HTTPConnection, asked: str, first: int, end: int) -> None:
    status, headers, body = get(connection, "/model.gguf", Range=asked)
    assert (status, headers["Content-Range"]) == (206, f"bytes {first}-{end - 1}/2560")
    assert body == CONTENT[first:end]


@pytest.mark.parametrize(
    ("asked", "first", "end"),
    [("Bytes=0-0", 0, 1), (" bytes=2559- ", 2559, 2560), ("bytes=-9999", 0, 2560), ("bytes=0-" + "9" * 5000, 0, 2560)],
)
def test_range_of_other_forms(connection: http.client.HTTPConnection, asked: str, first: int, end: int) -> None:
    status, headers, body = get(connection, "/model.gguf", Range=asked)
    assert (status, headers["Content-Range"]) == (206, f"bytes {first}-{end - 1}/2560")
    assert body == CONTENT[first:end]


@pytest.mark.parametrize(
    "asked",
    ["1-2,4-5", "-", "x-", "5-2", "1_0-20", "+1-2", "-1-2", "1--2", "0x1-2", "1.0-2", " 1-2", "1 - 2", "\u00b2-3", ""],
)
def test_unknown_range_gets_the_whole(connection: http.client.HTTPConnection, asked: str) -> None:
    status, _, body = get(connection, "/model.gguf", Range=f"bytes={asked}")
    assert (status, body) == (200, CONTENT)


@pytest.mark.parametrize("asked", ["lines=1-2", "bytes", "bytes 1-2", "\u00e9", "bytes=1-2\r\nRange: bytes=3-4"])
def test_what_is_no_range_gets_the_whole(asked: str, folder: Path) -> None:
    with running(folder) as ask:
        headers, body = ask(f"GET /model.gguf HTTP/1.1\r\nHost: localhost\r\nRange: {asked}\r\n\r\n").split(
            b"\r\n\r\n", 1
        )
    assert headers.startswith(b"HTTP/1.1 200 ")
    assert body == CONTENT


@pytest.mark.parametrize("asked", ["2560-", "9999-99999", "-0", "9" * 5000 + "-"])
def test_range_behind_the_end(connection: http.client.HTTPConnection, asked: str) -> None:
    status, headers, body = get(connection, "/model.gguf", Range=f"bytes={asked}")
    assert (status, headers["Content-Range"], body) == (416, "bytes */2560", b"")


@pytest.mark.parametrize("asked", ["bytes=0-", "bytes=-5"])
def test_range_of_nothing(connection: http.client.HTTPConnection, asked: str) -> None:
    status, headers, body = get(connection, "/a.js", Range=asked)
    assert (status, headers["Content-Range"], body) == (416, "bytes */0", b"")


def test_if_range_and_if_none_match(connection: http.client.HTTPConnection, tmp_path: Path) -> None:
    tag = get(connection, "/model.gguf", "HEAD")[1]["ETag"]
    assert get(connection, "/model.gguf", Range="bytes=9-9", If_Range=tag)[0] == 206
    assert get(connection, "/model.gguf", Range="bytes=9-9", If_Range="Wed, 21 Oct 2015 07:28:00 GMT")[0] == 200
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        assert get(connection, "/model.gguf", If_None_Match=known)[0::2] == (304, b"")
    assert get(connection, "/model.gguf", If_None_Match=tag.strip('"'))[0] == 200
    (tmp_path / "model.gguf").write_bytes(CONTENT[:100])
    assert get(connection, "/model.gguf", Range="bytes=9-9", If_Range=tag)[0::2] == (200, CONTENT[:100])
    assert get(connection, "/model.gguf", If_None_Match=tag)[0] == 200


def test_head_tells_the_length_without_the_content(connection: http.client.HTTPConnection) -> None:
    status, headers, body = get(connection, "/model.gguf", "HEAD", Range="bytes=1-2")  # which is for GET alone
    assert (status, headers["Content-Length"], headers["Accept-Ranges"], body) == (200, "2560", "bytes", b"")


@pytest.mark.parametrize(
    "path",
    [
        *["/none", "/folder", "/folder/", "/index.html/", "//model.gguf/x", "/" + "a" * 300, "/" + "a/" * 5000],
        *["/%00", "/model.gguf%00", "/%", "/%2", "/%zz", "/%ff", "/%c0%ae%c0%ae/", "/\u00e9", "/%ED%A0%80", "/..;/x"],
        *["/../conftest.py", "/%2e%2e/conftest.py", "/..%2fconftest.py", "/%2e%2e%2fconftest.py", "/..%5cconftest.py"],
        *[
            "/..\\conftest.py",
            "/%252e%252e/conftest.py",
            "/folder/../../conftest.py",
            "/.",
            "/..",
            "/c:/x",
            "/%2fetc/passwd",
        ],
        *["/folder%2f..%2fmodel.gguf", "//etc/passwd", "/model.gguf/", "/model.gguf/..", "/NUL", "/~root"],
    ],
)
def test_what_is_not_there(path: str, folder: Path) -> None:
    with running(folder) as ask:
        assert status_of(ask(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")) == 404


@pytest.mark.parametrize(
    "path", ["/?a=/../x#y", "/#", "//", "//index.html", "/%69ndex.html", "/a%20%C3%A9.txt", "/a%20\u00c3\u00a9.txt"]
)
def test_what_is_there(path: str, folder: Path) -> None:
    (folder / "a \u00e9.txt").write_text("x")
    with running(folder) as ask:
        assert status_of(ask(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")) == 200


@pytest.mark.skipif(os.name == "nt", reason="links and pipes of POSIX")
def test_only_regular_files_of_the_folder(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(elsewhere / "secret.txt")
    (folder / "way").symlink_to(elsewhere)
    (folder / "round").symlink_to("round")
    (folder / "inside.txt").symlink_to("model.gguf")
    os.mkfifo(folder / "pipe")
    listening = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(folder)  # a socket's path must be short
    listening.bind("socket")
    os.chdir(here)
    expected = {
        "/link.txt": 404,
        "/way/secret.txt": 404,
        "/round": 404,
        "/pipe": 404,
        "/socket": 404,
        "/inside.txt": 200,
    }
    with running(folder) as ask, listening:
        for path, status in expected.items():
            assert status_of(ask(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")) == status, path
    (folder / "front").symlink_to(folder / "folder")  # the folder itself may be reached by a link
    (folder / "folder" / "index.html").write_text("x")
    with running(folder / "front") as ask:
        assert status_of(ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")) == 200


def test_a_file_that_cannot_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    with running(folder) as ask, monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse)
        assert status_of(ask("GET /model.gguf HTTP/1.1\r\nHost: localhost\r\n\r\n")) == 404


LOCAL = ["localhost", "LOCALHOST:80", "localhost.", "127.0.0.1", "127.0.0.1:99999", "[::1]", "[0:0::1]:8000"]
STRANGE = [
    "",
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "evil@localhost",
    "a b",
    "[::1",
    "::1",
]
ADDRESSES = ["10.0.0.1", "192.168.1.2:8000", "[fe80::1]"]


@pytest.mark.parametrize(
    ("host", "answered", "refused"),
    [
        ("localhost", LOCAL, STRANGE + ADDRESSES),
        ("127.0.0.1", LOCAL, STRANGE + ADDRESSES),
        ("0.0.0.0", LOCAL + ADDRESSES, STRANGE),
        ("", LOCAL + ADDRESSES, STRANGE),
        ("::", LOCAL + ADDRESSES, STRANGE),
    ],
)
def test_it_answers_under_its_own_names(host: str, answered: list[str], refused: list[str], folder: Path) -> None:
    try:
        server = serving.make_server(folder, host, 0)
    except Stop:
        pytest.skip(f"this machine has no {host}")
    server.server_close()
    with running(folder, host) as ask:
        for status, names in ((200, answered), (421, refused)):
            for name in names:
                assert status_of(ask(f"GET / HTTP/1.1\r\nHost: {name}\r\n\r\n")) == status, name
                if name.strip() and " " not in name:
                    told = status_of(ask(f"GET http://{name}/ HTTP/1.1\r\nHost: localhost\r\n\r\n"))
                    assert told == status, name


def test_the_name_that_it_was_given(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest, **more: real("127.0.0.1" if host == "Cat.example" else host, *rest, **more),
    )
    server = serving.make_server(folder, "127.0.0.1", 0)
    server.server_close()
    monkeypatch.setattr(
        socket.socket, "bind", lambda self, at, bind=socket.socket.bind: bind(self, ("127.0.0.1", at[1]))
    )
    server = serving.make_server(folder, "Cat.example", 0)
    server.server_close()
    assert server.is_called("cat.example:8000")
    assert server.is_called("localhost")
    assert not server.is_called("dog.example")


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        ("OPTIONS / HTTP/1.1", 405),
        ("OPTIONS * HTTP/1.1", 405),
        ("POST / HTTP/1.1", 405),
        ("TRACE / HTTP/1.1", 405),
        ("CONNECT localhost:80 HTTP/1.1", 405),
        ("BREW / HTTP/1.1", 501),
        ("get / HTTP/1.1", 501),
        ("GET * HTTP/1.1", 400),
        ("GET index.html HTTP/1.1", 400),
        ("GET ftp://localhost/ HTTP/1.1", 400),
        ("GET http:// HTTP/1.1", 421),
        ("GET http://localhost HTTP/1.1", 200),
        ("GET http://localhost?x HTTP/1.1", 200),
        ("GET http://[::1/ HTTP/1.1", 421),
        ("GET / HTTP/1.0", 200),
        ("GET / HTTP/2.0", 505),
        ("GET / HTTP/x", 400),
        ("GET / HTTP/" + "1" * 5000 + ".1", 400),
        ("GET /" + "a" * 70_000 + " HTTP/1.1", 414),
    ],
)
def test_other_requests(request_line: str, status: int, folder: Path) -> None:
    with running(folder) as ask:
        answer = ask(f"{request_line}\r\nHost: localhost\r\n\r\n")
        assert status_of(answer) == status
        assert (b"\r\nAllow: GET, HEAD\r\n" in answer) == (status == 405)
        assert status_of(ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")) == 200  # the server goes on


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ("", 400),
        ("Host: localhost\r\nHost: evil.example\r\n", 400),
        ("Host: localhost\r\nX: " + "a" * 70_000 + "\r\n", 431),
        ("Host: localhost\r\n" + "X: a\r\n" * 500, 431),
    ],
)
def test_other_headers(headers: str, status: int, folder: Path) -> None:
    with running(folder) as ask:
        assert status_of(ask(f"GET / HTTP/1.1\r\n{headers}\r\n")) == status


def test_a_request_without_a_version_gets_nothing(folder: Path) -> None:
    with running(folder) as ask:
        assert status_of(ask("GET /\r\n\r\n")) == 400


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("length", ["Content-Length: 47", "Transfer-Encoding: chunked"])
def test_what_comes_behind_a_request_is_no_other_request(method: str, length: str, folder: Path) -> None:
    second = "GET /model.gguf HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with running(folder) as ask:
        answer = ask(f"{method} / HTTP/1.1\r\nHost: localhost\r\n{length}\r\n\r\n{second}")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_a_file_that_is_cut_while_it_is_sent(folder: Path) -> None:
    size = 50_000_000  # more than the system takes at once
    with (folder / "model.gguf").open("wb") as file:
        file.truncate(size)
    with (
        serving.serving(folder) as url,
        socket.create_connection(("localhost", urllib.parse.urlsplit(url).port), 10) as to,
    ):
        to.sendall(b"GET /model.gguf HTTP/1.1\r\nHost: localhost\r\n\r\n")
        got = len(to.recv(1000))
        os.truncate(folder / "model.gguf", 1000)
        while block := to.recv(1 << 20):  # it ends: no timeout, and not in another answer's bytes
            got += len(block)
    assert got < size


def test_one_that_never_ends_its_request(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving.Handler, "timeout", 0.2)
    with (
        serving.serving(folder) as url,
        socket.create_connection(("localhost", urllib.parse.urlsplit(url).port), 10) as to,
    ):
        to.sendall(b"GET /model.gguf HTTP/1.1\r\n")
        assert to.recv(1000) == b""


def test_port_taken(tmp_path: Path) -> None:
    with serving.serving(tmp_path) as url, pytest.raises(Stop, match="the port is taken") as stop:
        serving.make_server(tmp_path, "localhost", urllib.parse.urlsplit(url).port or 0)
    assert stop.value.code == NO_PORT


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 70, "a..b", "256.1.1.1", "203.0.113.1"])
def test_a_host_that_is_none_of_this_machine(host: str, tmp_path: Path) -> None:
    with pytest.raises(Stop, match=r"^cannot serve at ") as stop:
        serving.make_server(tmp_path, host, 0)
    assert (stop.value.code, "\n" in str(stop.value)) == (NO_PORT, False)


@pytest.mark.parametrize("port", ["65536", "-1", "99999999999999999999"])
def test_what_is_no_port(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        build.main(["serve", f"--port={port}"])
    assert end.value.code == USAGE
    assert "is no port" in capsys.readouterr().err
