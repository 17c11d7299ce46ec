"""files.js in the browser: downloads, their kept copies, and everything that goes wrong with them."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

import pytest
from page.model_server import ModelServer, Reply
from page.reading import ENTRIES, HALF, READ, SIZE, WHOLE, Read, downloads, starts
from playwright.sync_api import BrowserContext, Route

pytestmark = pytest.mark.slow


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
    address = f"{server.url}model.gguf"
    parts: list[dict[str, Any]] = [{"url": f"{address}.{i}", "bytes": size} for i, size in enumerate(sizes)]
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
