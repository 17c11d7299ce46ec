"""Downloads: a server with every fault, the hub's cache as its own library has it, and who is told what."""

from __future__ import annotations

import errno
import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest

from py_wgml import downloads
from py_wgml.downloads import Download, NetworkError, fetch, find_address, hub_folder, kept_models, open_url, remote
from py_wgml.errors import WgmlError
from web.build import paths

CONTENT = b"GGUF" + bytes(range(256)) * 4000
SUM = hashlib.sha256(CONTENT).hexdigest()
COMMIT = "c0" * 20
NAME = "https://huggingface.co/owner/repo/resolve/main/folder/m.gguf"


class Faulty(http.server.BaseHTTPRequestHandler):
    """The hub (paths with /resolve/) and what it redirects to; `faults` are what goes wrong with the next answers."""

    protocol_version = "HTTP/1.1"
    content, tag = CONTENT, SUM
    ranges = True
    faults: list[Any] = []  # noqa: RUF012  a status; or ("break", bytes), ("stall", bytes), ("say", length)
    asked: list[tuple[str, str | None, str | None]] = []  # noqa: RUF012  path, Range, Authorization
    storage = ""
    files: Any = ()

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("Range"), self.headers.get("Authorization")))
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, int):
            self.answer(fault, 0, **{"Retry-After": "7"})
        elif self.path.startswith("/api/") and "/models/" not in self.path:
            self.answer(404, 0)
        elif self.path.startswith("/api/"):
            entries = [{"type": "file", "path": path} for path in self.files] if self.files is not None else {"a": "b"}
            text = json.dumps(entries).encode()
            self.answer(200, len(text))
            self.wfile.write(text)
        elif "/resolve/" in self.path:
            about = {
                "X-Repo-Commit": COMMIT,
                "X-Linked-ETag": f'"{self.tag}"',
                "X-Linked-Size": str(len(self.content)),
            }
            self.answer(302, 0, Location=f"{self.storage}/blob", **about)
        else:
            self.send(fault or ("break", len(self.content)))

    def send(self, fault: tuple[str, int]) -> None:
        """The content, or the part of it that is asked for, as far as the fault lets it."""
        asked = self.headers.get("Range") if self.ranges else None
        first = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        size, tag = len(self.content), self.tag
        kind, count = fault
        about = {"Content-Range": f"bytes {first}-{size - 1}/{size}"} if asked else {}
        length = count if kind == "say" else size - first
        self.answer(206 if asked else 200, length, ETag=f'"{tag}"', **about)
        if self.command == "HEAD":
            return
        self.wfile.write(self.content[first:] if kind == "say" else self.content[first : first + count])
        self.wfile.flush()
        if kind == "stall":
            threading.Event().wait(0.5)
        self.close_connection = True

    def answer(self, status: int, length: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(length)}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server that is the hub, with a storage of another origin."""
    for name, value in (("faults", []), ("asked", []), ("ranges", True), ("content", CONTENT), ("tag", SUM)):
        monkeypatch.setattr(Faulty, name, value)
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    monkeypatch.setattr(remote, "PATIENCE", 0.2)
    started = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Faulty)
    threading.Thread(target=started.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setattr(Faulty, "storage", f"http://localhost:{started.server_port}")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{started.server_port}")
    monkeypatch.setenv("no_proxy", "*")
    yield f"http://127.0.0.1:{started.server_port}"
    started.shutdown()
    started.server_close()


def read(url: str, keep: bool = True) -> bytes:
    stream, size = open_url(url, keep)
    with stream:
        data = b"".join(iter(lambda: stream.read(1 << 20), b""))
    assert size in (None, len(data))
    return data


def ranges() -> list[str | None]:
    """What was asked of the storage."""
    return [asked for path, asked, _ in Faulty.asked if "/resolve/" not in path]


def test_the_hubs_own_library_finds_what_was_fetched(hub: str) -> None:
    assert read(NAME) == CONTENT
    found = huggingface_hub.try_to_load_from_cache("owner/repo", "folder/m.gguf", cache_dir=hub_folder())
    assert isinstance(found, str)
    assert Path(found).read_bytes() == CONTENT
    [repository] = huggingface_hub.scan_cache_dir(hub_folder()).repos
    [revision] = repository.revisions
    assert (repository.repo_id, revision.commit_hash, [*revision.refs]) == ("owner/repo", COMMIT, ["main"])
    assert (repository.size_on_disk, os.path.basename(os.path.realpath(found))) == (len(CONTENT), SUM)
    assert read(NAME) == CONTENT
    assert ranges() == [None, None], "the second time it was asked whether it changed, and nothing was read"


def test_what_the_hubs_own_library_fetched_is_found(hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = hub_folder() / "models--owner--repo"
    for path, text in (
        (folder / "refs" / "main", COMMIT),
        (folder / "blobs" / SUM, "GGUF of another"),
        (folder / "snapshots" / COMMIT / "folder" / "m.gguf", "GGUF of another"),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert read(NAME) == b"GGUF of another"
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    before = len(Faulty.asked)
    assert read(NAME) == b"GGUF of another"
    assert len(Faulty.asked) == before
    with pytest.raises(NetworkError, match=r"other/m\.gguf: it is not kept here, and HF_HUB_OFFLINE"):
        open_url("https://huggingface.co/owner/repo/resolve/main/other/m.gguf")


def test_without_a_network_what_is_kept_is_used(hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = f"{hub}/x/m.gguf?a=b"
    commit = NAME.replace("/main/", f"/{COMMIT}/")
    assert [read(NAME), read(plain), read(commit)] == [CONTENT] * 3
    before = len(Faulty.asked)
    assert read(commit) == CONTENT
    assert len(Faulty.asked) == before, "a commit is what it was"
    Faulty.faults = [503, 503]
    assert [read(NAME), read(plain)] == [CONTENT] * 2
    Faulty.faults = [404]
    with pytest.raises(NetworkError, match="HTTP status 404"):
        open_url(plain)


@pytest.mark.parametrize("url", [NAME, "/x/m.gguf"])
def test_a_file_that_changed_is_fetched_anew(url: str, hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url = url if "://" in url else hub + url
    assert read(url) == CONTENT
    newer = b"GGUF, but newer"
    monkeypatch.setattr(Faulty, "content", newer)
    monkeypatch.setattr(Faulty, "tag", hashlib.sha256(newer).hexdigest())
    monkeypatch.setitem(globals(), "COMMIT", "d0" * 20)
    assert read(url) == newer
    assert read(url) == newer


FAULTS: list[tuple[list[Any], list[str | None]]] = [
    ([None, ("break", 300_000), None, ("break", 200_000)], [None, "bytes=300000-", "bytes=500000-"]),
    ([None, ("stall", 1 << 18)], [None, f"bytes={1 << 18}-"]),
    ([500, 503, 429, 408], [None]),
    ([None, 503], [None, None]),
    ([None, ("say", 10**9)], [None]),
]


@pytest.mark.parametrize(("faults", "asked"), FAULTS)
@pytest.mark.parametrize("keep", [True, False])
def test_what_breaks_is_gone_on_with(faults: list[Any], asked: list[str | None], keep: bool, hub: str) -> None:
    Faulty.faults = list(faults)
    assert read(NAME, keep) == CONTENT
    told = [each for each in ranges() if each is None or int(each[6:-1]) < len(CONTENT)]
    assert told[: len(asked)] == asked


def test_a_server_without_ranges(hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Faulty, "ranges", False)
    Faulty.faults = [None, ("break", 300_000)]
    assert read(NAME) == CONTENT


def test_what_an_earlier_run_has_is_not_fetched_again(hub: str) -> None:
    stream, _ = open_url(NAME)
    have = len(stream.read(300_000))
    stream.close()
    assert read(NAME) == CONTENT
    assert ranges()[-1] == f"bytes={have}-"
    assert [path.name for path in (hub_folder() / "models--owner--repo" / "blobs").iterdir()] == [SUM]


def test_a_beginning_of_no_known_version_is_not_gone_on_with(hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Faulty, "tag", "")
    stream, _ = open_url(f"{hub}/m.gguf")
    stream.read(300_000)
    stream.close()
    other = bytes(reversed(CONTENT))
    monkeypatch.setattr(Faulty, "content", other)
    assert [read(f"{hub}/m.gguf"), read(f"{hub}/m.gguf")] == [other] * 2
    assert ranges() == [None] * 3, "nobody tells whether it changed"


@pytest.mark.parametrize(
    ("url", "faults", "says"),
    [
        (NAME, [404], "resolve/main/folder/m.gguf: HTTP status 404; the files that there are: .*/owner/repo/tree/main"),
        (
            NAME,
            [401],
            "HTTP status 401; it may be gated or not exist: accept its terms at .*/owner/repo .*HF_TOKEN",
        ),
        (NAME, [403], "HTTP status 403; it may be gated"),
        (NAME, [429] * 5, r"no connection \(HTTP status 429\); try again later"),
        (NAME, [None, ("break", 0)] * 5, r"no connection at byte 0 of 1,024,004 \(the connection broke off\)"),
        ("/m.gguf", [404], "the address is wrong, or the file gone"),
        ("/m.gguf", [410], "HTTP status 410"),
    ],
)
def test_what_can_not_be_had_is_told_in_a_line(url: str, faults: list[Any], says: str, hub: str) -> None:
    Faulty.faults = list(faults)
    with pytest.raises(NetworkError, match=says) as error:
        read(url if "://" in url else hub + url)
    assert "\n" not in str(error.value)
    assert not Faulty.faults, "it was asked as often as it should"


def test_a_server_says_when_to_come_again(hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    Faulty.faults = [429, 503]
    assert read(NAME) == CONTENT
    assert pauses == [7, 7]


def test_nobody_listens(hub: str) -> None:
    with pytest.raises(NetworkError, match=r"no connection .*refused"):
        open_url("http://127.0.0.1:9/m.gguf")


def test_a_wrong_sum_keeps_nothing(hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Faulty, "content", CONTENT[:-1] + b"x")
    with pytest.raises(NetworkError, match="its sha256 sum is not the one that the hub tells"):
        read(NAME)
    assert not [path for path in hub_folder().rglob("*") if path.is_file()]


def test_a_file_that_changes_while_it_is_read(hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Faulty.faults = [None, ("break", 300_000)]
    stream, _ = open_url(f"{hub}/m.gguf")
    with stream:
        Faulty.faults = []
        stream.read(10)
        monkeypatch.setattr(Faulty, "tag", "newer")
        stream._remote._hang_up()  # type: ignore[attr-defined]
        with pytest.raises(NetworkError, match="changed on its server while it was read"):
            stream.read(10)


def test_the_token_goes_to_the_hub_alone(hub: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "token").write_text("from_the_file\n")
    read(NAME)
    monkeypatch.setenv("HF_TOKEN", "from_the_environment")
    read(NAME)
    read(Faulty.storage + "/elsewhere.gguf")
    assert [(path.split("/")[1], token) for path, _, token in Faulty.asked] == [
        ("owner", "Bearer from_the_file"),
        ("blob", None),
        ("owner", "Bearer from_the_environment"),
        ("blob", None),
        ("elsewhere.gguf", None),
    ]


def test_a_disk_that_is_full_ends_the_keeping_alone(hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert read(NAME) == CONTENT
    monkeypatch.setattr(Path, "open", full)
    assert read(NAME) == CONTENT
    with pytest.raises(WgmlError, match=r"there is no place to keep it: \$HF_HOME"):
        fetch(NAME, lambda size: nullcontext(lambda done: None), lambda begins: None)


def test_a_disk_without_links(hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(errno.EPERM, "not permitted")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    assert [read(NAME), read(NAME)] == [CONTENT] * 2
    assert ranges() == [None, None]


def test_what_is_no_model_is_not_kept(hub: str) -> None:
    def check(begins: bytes) -> None:
        raise ValueError(begins[:4])

    with pytest.raises(ValueError, match="GGUF"):
        fetch(NAME, lambda size: nullcontext(lambda done: None), check)
    assert not [path for path in hub_folder().rglob("*") if path.is_file()]


FETCH = """
import hashlib, sys
from py_wgml.downloads import open_url
stream, _ = open_url(sys.argv[1])
data = b"".join(iter(lambda: stream.read(1 << 20), b""))
print(hashlib.sha256(data).hexdigest())
"""


def test_processes_beside_each_other(hub: str) -> None:
    stream, _ = open_url(NAME)
    assert isinstance(stream, Download)
    stream.read(10)
    command = [sys.executable, "-c", FETCH, NAME]
    others = [subprocess.Popen(command, cwd=paths.ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [other.communicate(timeout=60)[0].strip() for other in others] == [SUM] * 3
    with stream:
        path = stream.finish()
    assert path is not None
    assert path.read_bytes() == CONTENT
    assert [each.name for each in (hub_folder() / "models--owner--repo" / "blobs").iterdir()] == [SUM]


def test_what_the_hubs_own_library_downloads_is_found(hub: str) -> None:
    code = "from huggingface_hub import hf_hub_download; print(hf_hub_download('owner/repo', 'folder/m.gguf'))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    before = len(ranges())
    stream, _ = open_url(NAME)
    with stream:
        assert Path(stream.name).samefile(done.stdout.strip())
    assert len(ranges()) == before + 1, "it was asked what is there now, and nothing was read"


FILES = (
    *("README.md", "m-Q4_K_M.gguf", "m-Q8_0.gguf", "mmproj-m-Q8_0.gguf", "UD/m-UD-Q4_K_M.gguf"),
    *("big/m-BF16-00001-of-00002.gguf", "big/m-BF16-00002-of-00002.gguf"),
)


@pytest.mark.parametrize(
    ("name", "files", "path"),
    [
        ("owner/repo", FILES, "m-Q4_K_M.gguf"),
        ("owner/repo:q8_0", FILES, "m-Q8_0.gguf"),
        ("hf.co/owner/repo:BF16", FILES, "big/m-BF16-00001-of-00002.gguf"),
        ("https://huggingface.co/owner/repo/tree/main", ("only one.gguf", "x.txt"), "only%20one.gguf"),
        ("owner/repo:UD-Q4_K_M", FILES, "UD/m-UD-Q4_K_M.gguf"),
    ],
)
def test_the_file_of_a_repository_that_is_meant(
    name: str, files: tuple[str, ...], path: str, hub: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Faulty, "files", files)
    assert find_address(name) == f"https://huggingface.co/owner/repo/resolve/main/{path}"
    assert Faulty.asked[-1][0] == "/api/models/owner/repo/tree/main?recursive=true"


@pytest.mark.parametrize(
    ("name", "files", "fault", "says"),
    [
        ("owner/repo:Q2_K", ("m-Q8_0.gguf",), None, r"owner/repo has no GGUF file of Q2_K; it has m-Q8_0\.gguf$"),
        (
            "owner/repo",
            ("b.gguf", "a.gguf"),
            None,
            r"several GGUF files; name one, as in owner/repo/.*: a\.gguf, b\.gguf$",
        ),
        ("owner/repo", ("x.bin",), None, r"owner/repo has no GGUF file$"),
        ("owner/repo", (), 401, "owner/repo: there is no such repository, or a token"),
        ("owner/repo", None, None, "the hub's list of its files can't be read"),
    ],
)
def test_a_repository_whose_file_is_not_clear(
    name: str, files: Any, fault: int | None, says: str, hub: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Faulty, "files", files)
    Faulty.faults = [fault]
    with pytest.raises(WgmlError, match=says):
        find_address(name)


def test_a_repository_that_is_kept_needs_no_network(hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(NAME) == CONTENT
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert find_address("owner/repo") == NAME
    assert kept_models() == ["owner/repo/folder/m.gguf"]
    with pytest.raises(NetworkError, match="nothing of owner/other is kept here"):
        find_address("owner/other")
    for name in ("file.gguf", "owner/repo/file.gguf", "./owner/repo", "https://example.org/owner/repo", "/a/b"):
        assert find_address(name) is None


OUT = ("main/../../x.gguf", "main/%2e%2e/x", "main/a%5cb.gguf", "main/%00.gguf", "%2e%2e/x", "a%2F..%2Fb/x")


@pytest.mark.parametrize("path", OUT)
def test_no_name_leads_out_of_the_folder(path: str) -> None:
    shelf = downloads.Shelf.of(f"https://huggingface.co/owner/repo/resolve/{path}")
    assert not shelf.is_hubs
    assert "/" not in shelf.path
    assert json.dumps(shelf.path).isascii()
