"""files.js in the browser: downloads, their kept copies, and everything that goes wrong with them."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from page.model_server import ModelServer, Reply
from playwright.sync_api import BrowserContext, Page, Route

pytestmark = pytest.mark.slow

Read = Callable[..., Any]

READ = """(message) => new Promise((resolve) => {
  const worker = new Worker("files_worker.js", { type: "module" });
  const end = (result) => { worker.terminate(); resolve(result); };
  worker.onmessage = ({ data }) => end(data);
  worker.onerror = () => end({ error: "the worker did not start" });
  setTimeout(() => end({ error: "no answer from the worker" }), 60_000);
  worker.postMessage(message);
})"""

WHOLE = "bytes=0-"
"""How a whole file is asked for: browsers want a range as it is, not compressed."""

ENTRIES = """async () => {
  const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("models");
  const names = [];
  for await (const name of folder.keys()) names.push(name);
  return names;
}"""


@pytest.fixture
def server() -> Iterator[ModelServer]:
    made = ModelServer()
    yield made
    made.close()


@pytest.fixture
def read(context: BrowserContext, server: ModelServer) -> Read:
    """`read()` opens the model in a page that has just been opened, reads all of it and tells what came."""

    def call(page: Page | None = None, **options: Any) -> Any:
        page = page or context.new_page()
        if page.url != server.url:
            page.goto(server.url)
        source = {"name": "tiny", "url": f"{server.url}model.gguf", **options.pop("source", {})}
        return page.evaluate(READ, {"source": source, **options})

    return call


def downloads(server: ModelServer) -> list[str | None]:
    """The ranges of the downloads so far."""
    return [asked for method, asked in server.requests if method == "GET"]


def starts(server: ModelServer) -> list[int]:
    """Their first bytes."""
    return [int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0 for asked in downloads(server)]


def test_a_download_is_kept(server: ModelServer, read: Read) -> None:
    first = read(watch=True)
    assert first["sha256"] == server.sha256
    assert (first["size"], first["cached"], first["kept"]) == (len(server.body), False, True)
    assert first["largest"] <= 4 * 2**20
    assert first["progress"][-1] == [len(server.body)] * 2
    assert first["errors"] == []
    second = read()
    assert (second["sha256"], second["cached"], second["kept"]) == (server.sha256, True, True)
    assert downloads(server) == [WHOLE]


def test_the_kept_copy_needs_no_network(server: ModelServer, read: Read, context: BrowserContext) -> None:
    read()
    server.status = 503
    assert read()["sha256"] == server.sha256
    context.route("**/model.gguf", lambda route: route.abort())
    assert read()["sha256"] == server.sha256
    assert downloads(server) == [WHOLE]


@pytest.mark.parametrize("kept", [False, True])
def test_rewinding_gives_the_same_bytes(server: ModelServer, read: Read, kept: bool) -> None:
    if kept:
        read()
    assert read(rewindAfter=2)["sha256"] == server.sha256
    assert len(downloads(server)) == 1


def test_a_broken_connection_goes_on_where_it_stopped(server: ModelServer, read: Read) -> None:
    server.cuts = [4_000_000, 4_000_000]
    got = read()
    assert (got["sha256"], got["kept"]) == (server.sha256, True)
    none, first, second = starts(server)
    assert none == 0 < first < second < len(server.body)


def test_the_next_visit_goes_on_where_the_last_one_stopped(server: ModelServer, read: Read) -> None:
    server.cuts = [4_000_000] + [0] * 9  # then nothing more
    assert re.search("broke off at [1-4] of 9 MB", read(watch=True)["error"])
    server.cuts = []
    server.requests.clear()
    got = read()
    assert (got["sha256"], got["kept"]) == (server.sha256, True)
    assert [0 < start <= 4_000_000 for start in starts(server)] == [True]


def test_a_file_that_changed_meanwhile_is_downloaded_anew(server: ModelServer, read: Read) -> None:
    server.pace = 0.05
    assert read(closeAfter=4) == {"closed": True}
    server.pace = 0
    server.change(1)
    assert read()["sha256"] == server.sha256
    assert read()["cached"]


def test_a_changed_file_replaces_the_kept_copy(server: ModelServer, read: Read) -> None:
    read()
    server.change(1)  # of the same length: its ETag tells
    got = read()
    assert (got["sha256"], got["cached"]) == (server.sha256, False)
    server.change(2, size=5_000_000)
    assert read()["sha256"] == server.sha256
    assert read()["cached"]


def test_a_file_that_changes_during_the_download_is_an_error(server: ModelServer, read: Read) -> None:
    server.cuts = [4_000_000]
    server.change_after_cut = True
    assert "can't go on where it stopped" in read()["error"]


def test_a_server_without_ranges(server: ModelServer, read: Read) -> None:
    server.ranges = False
    server.cuts = [4_000_000]
    assert "can't go on where it stopped" in read()["error"]
    assert read()["sha256"] == server.sha256  # from the beginning
    assert read()["cached"]


def test_a_server_that_does_not_tell_the_size(server: ModelServer, read: Read) -> None:
    server.tells_size = False
    got = read()
    assert (got["sha256"], got["kept"]) == (server.sha256, True)
    assert "size" not in got or got["size"] is None
    assert read()["cached"]


@pytest.mark.parametrize("status", [403, 404])
def test_a_refusal_is_told(server: ModelServer, read: Read, status: int) -> None:
    server.status = status
    assert f"tiny could not be downloaded: the server answered {status}" in read()["error"]
    assert len(server.requests) == 1  # asking again would not help


def test_a_server_that_is_gone_is_told(server: ModelServer, read: Read, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(server.url)
    got = page.evaluate(READ, {"source": {"name": "tiny", "url": "http://localhost:9/model.gguf"}})
    assert got["error"] == "tiny could not be downloaded: there is no connection to its server."


def test_without_a_place_to_keep_it(server: ModelServer, read: Read, context: BrowserContext) -> None:
    def patched(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, body=f"delete StorageManager.prototype.getDirectory;\n{response.text()}")

    context.route("**/files_worker.js", patched)
    got = read()
    assert (got["sha256"], got["kept"]) == (server.sha256, False)
    server.cuts = [4_000_000]
    assert read()["sha256"] == server.sha256  # and it still goes on after a broken connection
    assert [start > 0 for start in starts(server)] == [False, False, True]


def test_with_too_little_place_to_keep_it(server: ModelServer, read: Read, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(server.url)
    quota = {"origin": server.url.rstrip("/"), "quotaSize": 5_000_000}
    context.new_cdp_session(page).send("Storage.overrideQuotaForOrigin", quota)
    got = read(page)
    assert (got["sha256"], got["kept"]) == (server.sha256, False)
    assert not read(page)["cached"]
    assert page.evaluate(ENTRIES) == []  # it left nothing there


def test_two_tabs_at_once(server: ModelServer, read: Read, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(server.url)
    source = json.dumps({"source": {"name": "tiny", "url": f"{server.url}model.gguf"}})
    one, two = page.evaluate(f"Promise.all([({READ})({source}), ({READ})({source})])")
    assert one["sha256"] == two["sha256"] == server.sha256
    assert one["kept"] or two["kept"]
    assert read(page)["cached"]


def test_a_download_can_pause(server: ModelServer, read: Read) -> None:
    server.pace = 0.05
    got = read(pauseFor=1000, watch=True)
    assert (got["sha256"], got["kept"]) == (server.sha256, True)
    assert got["arrived"] == 0


def test_a_connection_that_ends_in_a_pause_is_taken_up_again(server: ModelServer, read: Read) -> None:
    server.cuts = [4_000_000]
    got = read(pauseFor=300, watch=True)
    assert (got["sha256"], got["kept"]) == (server.sha256, True)
    assert [start > 0 for start in starts(server)] == [False, True]


def test_the_sum_is_checked_over_all_visits(server: ModelServer, read: Read) -> None:
    source = {"sha256": server.sha256}
    server.pace = 0.05
    assert read(source=source, closeAfter=4) == {"closed": True}
    server.pace = 0
    assert (read(source=source)["kept"], starts(server)[-1] > 0) == (True, True)
    server.requests.clear()
    assert read(source=source)["cached"]
    assert server.requests == []  # a known sum needs no question to the server


def test_wrong_bytes_are_not_kept(server: ModelServer, read: Read, context: BrowserContext) -> None:
    page = context.new_page()
    assert "its sha256 sum is another one" in read(page, source={"sha256": "0" * 64})["error"]
    assert page.evaluate(ENTRIES) == []
    assert read(page, source={"sha256": server.sha256})["kept"]
    source = {"sha256": hashlib.sha256(b"a new version").hexdigest()}
    assert "its sha256 sum is another one" in read(page, source=source)["error"]  # the kept copy is not taken for it


@pytest.mark.parametrize("after", [0, 1, 5_000_000])
def test_an_upload_ends_when_the_file_was_checked(server: ModelServer, read: Read, after: int) -> None:
    """Whatever comes after the last tensor: wrong weights are not for use, and a good file is kept."""
    size = len(server.body) - after
    assert "its sha256 sum is another one" in read(source={"sha256": "0" * 64}, bytes=size)["error"]
    assert read(bytes=len(server.body), closeAt=len(server.body))["error"] == "tiny was given up."
    assert read(source={"sha256": server.sha256}, bytes=size) == {"kept": True}
    assert "is truncated: it ends at byte 9000001" in read(bytes=len(server.body) + 1)["error"]


@pytest.mark.parametrize("kind", ["text/html", "application/json", "text/plain"])
def test_a_login_page_costs_no_kept_copy(server: ModelServer, read: Read, kind: str) -> None:
    read()
    server.requests.clear()
    server.instead = Reply(b"<html>" if kind == "text/html" else b"{}", headers={"Content-Type": kind})
    got = read()
    if kind == "text/html":
        assert (got["sha256"], got["cached"]) == (server.sha256, True)  # which says nothing of the model
    else:
        assert "is not a GGUF file" in got["error"]
    server.instead = None
    server.requests.clear()
    assert (read()["cached"], downloads(server)) == (True, [])


def test_a_login_page_costs_no_half_of_a_copy(server: ModelServer, read: Read) -> None:
    server.pace = 0.05
    assert read(closeAfter=4) == {"closed": True}
    server.instead = Reply(b"<html>", headers={"Content-Type": "text/html"})
    assert "is a web page, not a model" in read()["error"]
    server.instead = None
    server.requests.clear()
    assert read()["sha256"] == server.sha256
    assert [start > 0 for start in starts(server)] == [True]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_sum_that_was_known_is_known_later(server: ModelServer, read: Read, ranges: bool) -> None:
    """Whoever goes on with the download."""

    def begun() -> str:
        sha256 = server.sha256
        server.pace = 0.05
        assert read(source={"sha256": sha256}, closeAfter=4) == {"closed": True}
        server.pace = 0
        return sha256

    server.ranges = ranges
    sha256 = begun()
    assert read()["kept"]
    server.requests.clear()
    assert read(source={"sha256": sha256})["cached"]
    assert server.requests == []
    server.change(1)
    sha256, etag = begun(), server.etag
    server.put(server.body[:-1] + bytes([server.body[-1] ^ 1]))
    server.etag = etag  # it pretends to be the same
    assert "its sha256 sum is another one" in read()["error"]
    server.change(2)
    begun()
    server.change(3)  # honestly another one
    assert read()["sha256"] == server.sha256


def test_a_model_in_parts(server: ModelServer, read: Read) -> None:
    server.part_bytes = 2_500_000
    sizes = [2_500_000] * 3 + [1_500_001]
    parts = [{"url": f"{server.url}model.gguf.{i}", "bytes": size} for i, size in enumerate(sizes)]
    source = {"parts": parts, "bytes": 9_000_001, "sha256": server.sha256}
    server.cuts = [2_500_000, 1_000_000]  # the second part breaks off
    got = read(source=source)
    assert (got["sha256"], got["kept"], got["size"]) == (server.sha256, True, 9_000_001)
    assert [start > 0 for start in starts(server)] == [False, False, True, False, False]
    server.requests.clear()
    assert read(source=source)["cached"]
    assert server.requests == []
    parts[0]["bytes"] += 1
    assert "can't go on" in read(source=source | {"url": f"{server.url}other.gguf"})["error"]


STRANGERS: dict[str, tuple[bytes, dict[str, str], str]] = {
    "a page": (b"<html>", {"Content-Type": "text/html"}, "tiny is a web page, not a model"),
    "a large page": (bytes(3_000_000), {"Content-Type": "text/html; charset=utf-8"}, "tiny is a web page, not a model"),
    "JSON": (b"{}", {"Content-Type": "application/json"}, "can't go on where it stopped"),
    "too much": (bytes(2_500_001), {}, "brought more bytes than the server had announced"),
}


@pytest.mark.parametrize("kind", STRANGERS)
def test_what_is_no_part_of_a_model_is_no_part_of_its_copy(server: ModelServer, read: Read, kind: str) -> None:
    server.part_bytes = 2_500_000
    sizes = [2_500_000] * 3 + [1_500_001]
    parts = [{"url": f"{server.url}model.gguf.{i}", "bytes": size} for i, size in enumerate(sizes)]
    source = {"parts": parts, "bytes": 9_000_001, "sha256": server.sha256}
    body, headers, says = STRANGERS[kind]
    stranger = Reply(body, headers=headers, chunked=True)
    server.replies = [Reply(server.body[:2_500_000]), stranger, stranger]
    assert says in read(source=source)["error"]
    server.replies = [stranger, stranger]
    assert says in read(source=source)["error"]
    server.replies = []
    server.requests.clear()
    got = read(source=source)
    assert (got["sha256"], got["kept"], starts(server)) == (server.sha256, True, [0, 0, 0])  # but not the first


def test_kept_models_are_listed_and_removed(server: ModelServer, read: Read, context: BrowserContext) -> None:
    page = context.new_page()
    read(page)
    server.pace = 0.05
    read(page, source={"name": "half", "url": f"{server.url}model.gguf?half"}, closeAfter=4)
    kept = "import('./shared/kept.js').then((kept) => kept.keptModels())"
    half, whole = page.evaluate(kept)
    assert whole == {"name": "tiny", "url": f"{server.url}model.gguf", "bytes": len(server.body), "whole": True}
    assert (half["name"], half["whole"]) == ("half", False)
    assert 0 < half["bytes"] < len(server.body)
    assert page.evaluate("(url) => import('./shared/kept.js').then((kept) => kept.forget(url))", whole["url"])
    assert [model["name"] for model in page.evaluate(kept)] == ["half"]


def test_giving_up_keeps_what_came(server: ModelServer, read: Read) -> None:
    assert read(closeAfter=1) == {"closed": True}
    assert read()["sha256"] == server.sha256


def test_a_file_of_the_visitors(server: ModelServer, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(server.url)
    message = "{source: {name: 'mine', file: new File([new Uint8Array(9e6).fill(7)], 'mine.gguf')}, rewindAfter: 1}"
    got = page.evaluate(f"({READ})({message})")
    assert (got["size"], got["cached"], got["largest"]) == (9_000_000, True, 4 * 2**20)
    assert server.requests == []


SIZE = 300_000
HALF = 150_000
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
        "(url) => import('./shared/reach.js').then(({ unreachable }) => unreachable(url))", f"{server.url}model.gguf"
    )
    assert why == "its server redirects without end, or to where there is no connection"


DAMAGE = """async ([size, from, to]) => {
  const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("models");
  for await (const [name, handle] of folder) {
    if (name.endsWith(".json")) continue;
    const writable = await handle.createWritable({ keepExistingData: true });
    await writable.truncate(size);
    await writable.write({ type: "write", position: from, data: new Uint8Array(to - from) });
    await writable.close();
  }
}"""


@pytest.mark.parametrize(
    "where", [[SIZE, 0, 100], [HALF, 0, 0], [0, 0, 0], [SIZE, HALF, HALF + 9], [SIZE, SIZE - 1, SIZE]]
)
def test_a_damaged_copy_is_downloaded_again(
    server: ModelServer, read: Read, context: BrowserContext, where: list[int]
) -> None:
    page = context.new_page()
    server.change(0, SIZE)
    server.put(server.body[:-1] + b"x")
    assert read(page)["kept"]
    page.evaluate(DAMAGE, where)
    got = read(page)
    if "error" in got:
        assert "was damaged, and is deleted now" in got["error"]
        got = read(page)
    assert (got["sha256"], got["kept"]) == (server.sha256, True)
    assert read(page)["cached"]
