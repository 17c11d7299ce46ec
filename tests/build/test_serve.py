"""The server: types, ranges, what it says when it can't."""

from __future__ import annotations

import http.client
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

import build

CONTENT = bytes(range(256)) * 10


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[http.client.HTTPConnection]:
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "model.gguf").write_bytes(CONTENT)
    for name in ("a.mjs", "a.js", "a.wasm", "a.json", "a.css", "a.svg", "a.webmanifest"):
        (tmp_path / name).write_text("")
    (tmp_path / "folder").mkdir()
    with build.serving(tmp_path) as url:
        opened = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=10)
        yield opened
        opened.close()


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


@pytest.mark.parametrize("asked", ["bytes=1-2,4-5", "bytes=-", "lines=1-2", "bytes=x-"])
def test_unknown_range_gets_the_whole(connection: http.client.HTTPConnection, asked: str) -> None:
    status, _, body = get(connection, "/model.gguf", Range=asked)
    assert (status, body) == (200, CONTENT)


def test_range_behind_the_end(connection: http.client.HTTPConnection) -> None:
    status, headers, body = get(connection, "/model.gguf", Range="bytes=2560-")
    assert (status, headers["Content-Range"], body) == (416, "bytes */2560", b"")


def test_if_range_and_if_none_match(connection: http.client.HTTPConnection, tmp_path: Path) -> None:
    tag = get(connection, "/model.gguf", "HEAD")[1]["ETag"]
    assert get(connection, "/model.gguf", Range="bytes=9-9", If_Range=tag)[0] == 206
    assert get(connection, "/model.gguf", If_None_Match=tag)[0::2] == (304, b"")
    (tmp_path / "model.gguf").write_bytes(CONTENT[:100])
    assert get(connection, "/model.gguf", Range="bytes=9-9", If_Range=tag)[0::2] == (200, CONTENT[:100])
    assert get(connection, "/model.gguf", If_None_Match=tag)[0] == 200


def test_head_tells_the_length_without_the_content(connection: http.client.HTTPConnection) -> None:
    status, headers, body = get(connection, "/model.gguf", "HEAD")
    assert (status, headers["Content-Length"], headers["Accept-Ranges"], body) == (200, "2560", "bytes", b"")


@pytest.mark.parametrize("path", ["/none", "/folder", "/folder/", "/../conftest.py", "/%2e%2e/conftest.py"])
def test_what_is_not_there(connection: http.client.HTTPConnection, path: str) -> None:
    assert get(connection, path)[0] == 404


def test_port_taken(tmp_path: Path) -> None:
    with build.serving(tmp_path) as url, pytest.raises(build.Stop, match="the port is taken") as stop:
        build.make_server(tmp_path, "localhost", urllib.parse.urlsplit(url).port or 0)
    assert stop.value.code == build.NO_PORT
