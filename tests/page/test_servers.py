"""What servers send in the place of a model, or beside it: told, and not kept."""

from __future__ import annotations

import gzip
import random
import re
import time
from collections.abc import Callable

import pytest
from page.model_server import ModelServer, Reply
from page.reading import ENTRIES, HALF, SIZE, WHOLE, Read, downloads, starts
from playwright.sync_api import BrowserContext, Route

pytestmark = pytest.mark.slow

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 98362432\n"
XML = b"<?xml version='1.0'?>\n<Error><Code>AccessDenied</Code>\n<Message>Request has expired</Message></Error>"
IMPOSTORS: dict[str, tuple[Reply, str]] = {
    "LFS": (Reply(LFS), "tiny is a Git LFS pointer, not the model itself"),
    "JSON": (
        Reply(b'{"error": "Entry not found"}'),
        r'is not a GGUF file: its server says {"error": "Entry not found"}$',
    ),
    "XML": (Reply(XML), "not a GGUF file: its server says <.*<Message>Request has expired</Message></Error>$"),
    "HTML": (Reply(b"<html>", headers={"Content-Type": "text/html"}), "tiny is a web page, not a model"),
    "nothing": (Reply(b""), "^tiny is empty.$"),
    "nothing, in chunks": (Reply(b"", chunked=True), "^tiny is empty.$"),
    "two bytes": (Reply(b"GG", chunked=True), "^tiny is not a GGUF file. It was not kept.$"),
    "safetensors": (Reply((80).to_bytes(8, "little") + b'{"__metadata__":{}}'), "tiny is a safetensors file"),
    "gzip": (Reply(b"\x1f\x8b\x08\x00" + bytes(99)), "tiny is a packed file"),
    "other bytes": (Reply(bytes(99)), "^tiny is not a GGUF file. It was not kept.$"),
    "204": (Reply(b"", status=204), "^tiny could not be downloaded: the server answered 204 No Content.$"),
    "other bytes of it": (
        Reply(b"GGUF", status=206, headers={"Content-Range": "bytes 5-8/99"}),
        "^tiny could not be downloaded: its server sends other bytes than its first.$",
    ),
    "busy for long": (Reply(b"", status=429, headers={"Retry-After": "3600"}), "wants to be asked again in 60 min.$"),
}


@pytest.mark.parametrize("kind", IMPOSTORS)
def test_what_is_no_model_is_told_and_not_kept(
    server: ModelServer, read: Read, context: BrowserContext, kind: str
) -> None:
    page = context.new_page()
    server.change(0, SIZE)
    reply, says = IMPOSTORS[kind]
    reply.headers["Access-Control-Expose-Headers"] = "Retry-After"
    server.replies = [reply]
    told = read(page, watch=True)
    assert re.search(says, told["error"])
    assert not any(entry.endswith(".json") for entry in page.evaluate(ENTRIES))
    got = read(page)  # the host is well again
    assert (got["sha256"], got["kept"], len(downloads(server))) == (server.sha256, True, 2)


def goes_on(start: int, end: int, total: int) -> dict[str, str]:
    """A header."""
    return {"Content-Range": f"bytes {start}-{end}/{total}"}


HALVES: dict[str, Callable[[ModelServer], Reply]] = {
    "another range": lambda server: server.reply(
        status=206, body=server.body[:HALF], headers=goes_on(0, HALF - 1, SIZE)
    ),
    "no range told, another length": lambda server: server.reply(status=206),
    "nothing told": lambda server: server.reply(status=206, length=None),
    "of a larger file": lambda server: server.reply(
        status=206, body=bytes(HALF + 1), headers=goes_on(HALF, SIZE, SIZE + 1)
    ),
    "another version": lambda server: server.reply(
        status=206, body=bytes(HALF), headers=goes_on(HALF, SIZE - 1, SIZE) | {"ETag": '"another"'}
    ),
    "the whole": lambda server: server.reply(),
    "a web page": lambda server: Reply(b"<html>", headers={"Content-Type": "text/html"}),
    "no such range": lambda server: Reply(b"", status=416),
}


@pytest.mark.parametrize("kind", HALVES)
def test_what_does_not_go_on_with_a_download_is_not_taken_for_it(
    server: ModelServer, read: Read, context: BrowserContext, kind: str
) -> None:
    page = context.new_page()
    server.change(0, SIZE)
    first = server.reply(body=server.body[:HALF], length=SIZE)
    server.replies = [first, HALVES[kind](server)]
    assert "broke off, and its server can't go on where it stopped" in read(page)["error"]
    got = read(page)
    assert (got["sha256"], got["kept"]) == (server.sha256, True)


def test_a_range_without_its_header_goes_on(server: ModelServer, read: Read) -> None:
    """As servers of other origins answer that do not let it be read."""
    server.change(0, SIZE)
    rest = server.reply(status=206, body=server.body[HALF:])
    server.replies = [server.reply(body=server.body[:HALF], length=SIZE), rest]
    got = read()
    assert (got["sha256"], got["kept"], server.replies) == (server.sha256, True, [])


def test_chunks_that_break_off_are_no_end(server: ModelServer, read: Read) -> None:
    server.change(0, SIZE)
    server.replies = [server.reply(body=server.body[:HALF], chunked=True, whole=False)]
    got = read()
    assert (got["sha256"], got["kept"]) == (server.sha256, True)
    assert starts(server) == [0, HALF]


def test_a_compressed_answer_is_read(server: ModelServer, read: Read) -> None:
    server.change(0, SIZE)
    headers = {"Content-Encoding": "gzip", "Access-Control-Expose-Headers": "Content-Encoding"}
    server.replies = [Reply(gzip.compress(server.body), headers=headers)]
    got = read()
    assert (got["sha256"], got["kept"]) == (server.sha256, True)


@pytest.mark.parametrize("noise", [True, False])
@pytest.mark.parametrize("listens", [True, False])
def test_a_hidden_compression_does_not_matter(server: ModelServer, read: Read, noise: bool, listens: bool) -> None:
    """Of another origin, whose headers hide it; the length that it tells is larger or smaller than the file's."""
    server.put(b"GGUF" + (random.Random(0).randbytes(SIZE) if noise else bytes(SIZE)))
    server.gzips = True
    if not listens:
        packed = server.reply(body=gzip.compress(server.body))
        packed.headers["Content-Encoding"] = "gzip"
        server.instead = packed
    source = {"url": f"{server.url.replace('localhost', '127.0.0.1')}model.gguf"}
    got = read(source=source, watch=True)
    assert (got["sha256"], got["kept"], got.get("size")) == (
        server.sha256,
        True,
        len(server.body) if listens else None,
    )
    assert all(total in (0, len(server.body)) for _, total in got["progress"])
    assert read(source=source)["cached"]


def test_a_server_that_does_not_like_ranges(server: ModelServer, read: Read, context: BrowserContext) -> None:
    server.replies = [Reply(b"", status=416)]
    assert read()["kept"]
    assert downloads(server) == [WHOLE, None]

    def handler(route: Route) -> None:
        route.abort() if route.request.headers.get("range") else route.continue_()

    context.route("**/model.gguf?2", handler)
    assert read(source={"url": f"{server.url}model.gguf?2"})["kept"]
    assert downloads(server)[2:] == [None]


def test_a_busy_server_is_asked_when_it_wants(server: ModelServer, read: Read) -> None:
    server.change(0, SIZE)
    headers = {"Retry-After": "2", "Access-Control-Expose-Headers": "Retry-After"}
    server.replies = [Reply(b"", status=503, headers=headers)]
    began = time.monotonic()
    assert read()["sha256"] == server.sha256
    assert time.monotonic() - began > 2


def test_going_round_in_circles_is_told(server: ModelServer, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(server.url)
    server.status = 302
    why = page.evaluate(
        "(url) => import('./worker/reach.js').then(({ unreachable }) => unreachable(url))", f"{server.url}model.gguf"
    )
    assert why == "its server redirects without end, or to where there is no connection"
