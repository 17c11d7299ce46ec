"""A server of one file, with the faults that a test asks for, beside the modules of web/."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import http.server
import random
import re
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from web.build import paths, pins

HERE = Path(__file__).parent
LIBRARIES = [part for part in pins.read_lock() if part.role == "library"]
PAGE = b"<!doctype html><title>files.js</title>"
LINGER = 0.5  # seconds before a connection breaks: of what had not yet been read then, a browser hands out nothing


@dataclass
class Reply:
    """What a server says. `length`: what it announces, -1: as much as there is, None: nothing."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = -1
    chunked: bool = False
    whole: bool = True  # in chunks: with the last of them


class ModelServer:
    """Serves /model.gguf, an empty page at / and the modules; set its attributes to change how it behaves.

    With `part_bytes` the model lies in pieces of that size at /model.gguf.0, /model.gguf.1 and so on.
    """

    def __init__(self) -> None:
        pins.fetch(LIBRARIES)
        self.libraries = {f"/lib/{part.file}": part.path for part in LIBRARIES}
        self.change(0)
        self.ranges = True  # it knows them
        self.cuts: list[int] = []  # after so many bytes of the body the next answers break off
        self.change_after_cut = False  # another file is there when the client comes back
        self.status = 200  # of /model.gguf
        self.replies: list[Reply] = []  # the next answers to GET, in the place of what it would say
        self.silent: set[str] = set()  # methods that get no answer, as long as they are in here
        self.instead: Reply | None = None  # of whatever it would say
        self.gzips = False  # where it is not asked for the bytes as they are
        self.tells_size = True
        self.part_bytes = 0
        self.pace = 0.0  # seconds between pieces of 256 KiB
        self.requests: list[tuple[str, str | None]] = []  # (method, Range) of /model.gguf
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.url = f"http://localhost:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def change(self, seed: int, size: int = 9_000_001) -> None:
        """Put another file in the place of the model."""
        self.put(b"GGUF" + random.Random(seed).randbytes(size - 4))  # what is no model is not kept

    def put(self, body: bytes) -> None:
        """Put this file in its place."""
        self.body = body
        self.sha256 = hashlib.sha256(self.body).hexdigest()
        self.etag = f'"{self.sha256[:8]}"'

    def close(self) -> None:
        """No more answers."""
        self.silent.clear()
        self.server.shutdown()
        self.server.server_close()

    def reply(self, **differs: Any) -> Reply:
        """A good answer but for what is said of it."""
        return Reply(**{"body": self.body, "headers": {"ETag": self.etag}, **differs})

    def handler(owner: ModelServer) -> type[http.server.BaseHTTPRequestHandler]:
        """The handler class, which knows its owner."""

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args: Any) -> None:
                """Quiet."""

            def answer(self, status: int, headers: dict[str, str], body: bytes, length: int | None) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Cache-Control", "no-store")
                self.send_header("Access-Control-Allow-Origin", "*")  # pages of other origins may read it too
                self.send_header("Access-Control-Expose-Headers", "Content-Range, ETag")
                if length is None:
                    self.close_connection = True  # its end is the body's
                else:
                    self.send_header("Content-Length", str(length))
                self.end_headers()
                with contextlib.suppress(ConnectionError):  # a client may have had enough
                    for at in range(0, len(body) if self.command != "HEAD" else 0, 1 << 18):
                        self.wfile.write(body[at : at + (1 << 18)])
                        time.sleep(owner.pace)
                    if length and 0 < len(body) < length:
                        time.sleep(LINGER)

            def give(self, reply: Reply) -> None:
                """An answer as a test has written it."""
                self.close_connection = True
                if not reply.chunked:
                    self.answer(
                        reply.status,
                        reply.headers,
                        reply.body,
                        len(reply.body) if reply.length == -1 else reply.length,
                    )
                    return
                self.answer(reply.status, reply.headers | {"Transfer-Encoding": "chunked"}, b"", None)
                self.wfile.write(b"%x\r\n%s\r\n" % (len(reply.body), reply.body))
                time.sleep(0 if reply.whole else LINGER)
                self.wfile.write(b"0\r\n\r\n" if reply.whole else b"")

            def do_HEAD(self) -> None:
                self.do_GET()

            def do_GET(self) -> None:
                path = self.path.split("?")[0]
                if path.startswith("/model.gguf"):
                    self.model(path.removeprefix("/model.gguf"))
                elif path == "/":
                    self.answer(200, {"Content-Type": "text/html"}, PAGE, len(PAGE))
                else:
                    own = HERE if path == "/files_worker.js" else paths.WEB
                    file = owner.libraries.get(path, own / path[1:])
                    body = file.read_bytes() if file.is_file() else b""
                    self.answer(200 if body else 404, {"Content-Type": "text/javascript"}, body, len(body))

            def model(self, part: str) -> None:
                asked = self.headers.get("Range")
                owner.requests.append((self.command, asked))
                while self.command in owner.silent:
                    time.sleep(0.05)
                whole = owner.body
                if part:
                    whole = whole[int(part[1:]) * owner.part_bytes :][: owner.part_bytes]
                if owner.instead:
                    self.give(owner.instead)
                    return
                if owner.replies and self.command == "GET":
                    self.give(owner.replies.pop(0))
                    return
                if owner.status != 200:
                    self.answer(owner.status, {"Location": self.path} if owner.status == 302 else {}, b"", 0)
                    return
                first, status, headers = 0, 200, {"ETag": owner.etag}
                if asked and owner.ranges and self.headers.get("If-Range", owner.etag) == owner.etag:
                    first = int(re.fullmatch(r"bytes=(\d+)-", asked)[1])  # type: ignore[index]
                    status = 206
                    total = len(whole) if owner.tells_size else "*"
                    headers["Content-Range"] = f"bytes {first}-{len(whole) - 1}/{total}"
                body = whole[first:]
                if owner.gzips and "gzip" in self.headers.get("Accept-Encoding", ""):
                    body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
                length = len(body) if owner.tells_size else None
                if owner.cuts and self.command == "GET":
                    body = body[: owner.cuts.pop(0)]
                    self.close_connection = True
                    if owner.change_after_cut:
                        owner.change(1)
                self.answer(status, headers, body, length)

        return Handler
