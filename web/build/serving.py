"""The server of `build.py serve`: files of one folder, for browsers on this machine. Standard library only, for
it serves before any package is there; and the one there knows no ranges, which a resumed download needs.

It answers under the names that it was told to serve, so that no other site can read it by a name that suddenly leads to
this machine (DNS rebinding), and hands out nothing but regular files that lie in its folder.
"""

from __future__ import annotations

import contextlib
import errno
import http.server
import ipaddress
import os
import re
import socket
import socketserver
import sys
import threading
import urllib.parse
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

from .errors import NO_PORT, Stop
from .paths import WINDOWS

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
METHODS = ("GET", "HEAD")
# Seconds for a request to come. An answer may take any time: a visitor can let a download rest.
PATIENCE = 60
# A worker takes no policy from its page. This one runs the site's scripts and WebAssembly, and fetches from anywhere.
WORKERS_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src *"

TARGET = re.compile(r"(?:https?://([^/?#]*))?(/[^?#]*)?(?:[?#].*)?", re.IGNORECASE | re.DOTALL)
HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([^\[\]:@/\s]+))(?::[0-9]*)?", re.IGNORECASE)
RANGE = re.compile(r"bytes=([0-9]*)-([0-9]*)", re.IGNORECASE | re.ASCII)
TAG = re.compile(r'(?:W/)?("[^"]*")')


class Refused(Exception):
    """A request that gets no file: the status, and headers that go with it."""

    def __init__(self, status: HTTPStatus, **headers: str) -> None:
        super().__init__(status.phrase)
        self.status = status
        self.headers = headers


def host_name(host: str) -> str:
    """The name or address in `host:port`, in the form in which they are compared; "" if it is none."""
    found = HOST.fullmatch(host.strip())
    if not found:
        return ""
    name = (found[1] or found[2]).lower().removesuffix(".")
    with contextlib.suppress(ValueError):
        return str(ipaddress.ip_address(name))
    return name


def requested_range(header: str, size: int) -> tuple[int, int] | None:
    """The one range [first, end) that a Range header asks for; None: the whole, for it has none or is not understood.

    It is empty, or begins behind the end, where there is nothing to give.
    """
    asked = RANGE.fullmatch(header.strip())
    if not asked or asked[0].endswith("=-"):
        return None
    # No file has more than 10**18 bytes, and no longer number is made of what somebody sends.
    low, high = (int(digits.lstrip("0")[:19] or 0) for digits in asked.groups())
    if not asked[1]:
        return max(0, size - high), size
    if not asked[2]:
        return low, size
    return (low, min(size, high + 1)) if low <= high else None


class Handler(http.server.BaseHTTPRequestHandler):
    """GET and HEAD of files, with byte ranges, so that an interrupted download of a model can go on (RFC 9110)."""

    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"  # of a request that tells none, or one that is not known: it gets headers
    server_version = "py_wgml"
    sys_version = ""
    timeout = PATIENCE
    server: Server
    types = {  # noqa: RUF012  of what lies in a site; a system's own table may say anything
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".html": "text/html",
        ".css": "text/css",
        ".json": "application/json",
        ".png": "image/png",
        ".svg": "image/svg+xml",
        ".txt": "text/plain",
        ".wasm": "application/wasm",
        ".webmanifest": "application/manifest+json",
        ".whl": "application/zip",
        ".woff2": "font/woff2",
        ".zip": "application/zip",
    }

    def answer(self) -> None:
        """Send the file that is asked for, or say why not."""
        try:
            path = self.requested_file()
            file = path.open("rb")
        except Refused as refused:
            self.refuse(refused)
        except OSError:
            self.refuse(Refused(HTTPStatus.NOT_FOUND))
        else:
            with file:
                self.send_file(file, self.types.get(path.suffix.lower(), "application/octet-stream"))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = do_CONNECT = answer

    def requested_file(self) -> Path:
        """The regular file of this server's folder that the request names; Refused where there is none."""
        if self.command not in METHODS:
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, Allow=", ".join(METHODS))
        target = TARGET.fullmatch(self.path)
        hosts = self.headers.get_all("Host", [])
        if not target or len(hosts) != 1:
            raise Refused(HTTPStatus.BAD_REQUEST)
        named = hosts if target[1] is None else [*hosts, target[1]]
        if not all(self.server.is_called(name) for name in named):
            raise Refused(HTTPStatus.MISDIRECTED_REQUEST)
        return self.file_of(target[2] or "/")

    def file_of(self, path: str) -> Path:
        """The file at the path of an address, by what it really is: `..`, links and encodings lead nowhere else."""
        steps = [urllib.parse.unquote_to_bytes(step.encode("latin-1")) for step in path.lstrip("/").split("/")]
        steps[-1] = steps[-1] or b"index.html"
        strange = b'\0/\\:<>"|?*' if WINDOWS else b"\0/"
        try:
            if any(step in (b"", b".", b"..") or set(step) & set(strange) for step in steps):
                raise Refused(HTTPStatus.NOT_FOUND)
            found = self.server.folder.joinpath(*map(os.fsdecode, steps)).resolve(strict=True)
            if found.is_relative_to(self.server.folder) and found.is_file():  # and no pipe, which would never end
                return found
        except (ValueError, RuntimeError):  # no text in this system's encoding; links that go round
            pass
        raise Refused(HTTPStatus.NOT_FOUND)

    def send_file(self, file: Any, kind: str) -> None:
        """The file, the one range of it asked for (206), 304 when the client has it, 416."""
        status = os.fstat(file.fileno())
        size, tag = status.st_size, f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
        known = self.headers.get("If-None-Match", "")
        span = None
        if self.command == "GET" and self.headers.get("If-Range", tag) == tag:
            span = requested_range(", ".join(self.headers.get_all("Range", [])), size)
        first, end = span or (0, size)
        code = HTTPStatus.PARTIAL_CONTENT if span else HTTPStatus.OK
        if known.strip() == "*" or tag in TAG.findall(known):
            code = HTTPStatus.NOT_MODIFIED
        elif span and first >= end:
            code, first, end = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, 0, 0
        self.send_response(code)
        self.send_header("ETag", tag)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Cache-Control", "no-cache")  # keep it, and ask whether it changed
        if code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            self.send_header("Content-Range", f"bytes */{size}")
        if code == HTTPStatus.PARTIAL_CONTENT:
            self.send_header("Content-Range", f"bytes {first}-{end - 1}/{size}")
        if code != HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(end - first))
        if Path(file.name) == self.server.folder / "worker" / "worker.js":
            self.send_header("Content-Security-Policy", WORKERS_POLICY)
        if self.has_body():
            self.send_header("Connection", "close")  # nobody reads it, and it must not be taken for the next request
        self.end_headers()
        if self.command == "GET" and code != HTTPStatus.NOT_MODIFIED:
            self.send_part(file, first, end)

    def send_part(self, file: Any, first: int, end: int) -> None:
        """The bytes [first, end) of a file. One that is cut meanwhile ends the connection."""
        file.seek(first)
        self.connection.settimeout(None)
        while first < end and (chunk := file.read(min(1 << 20, end - first))):
            self.wfile.write(chunk)
            first += len(chunk)
        self.connection.settimeout(PATIENCE)
        if first < end:  # less has come than was promised
            self.close_connection = True

    def has_body(self) -> bool:
        """Whether something comes behind the request's headers."""
        return "Transfer-Encoding" in self.headers or self.headers.get("Content-Length", "0").strip() != "0"

    def refuse(self, refused: Refused) -> None:
        """An answer without a file, and the end of the connection."""
        text = f"{refused.status.value} {refused.status.phrase}\n".encode()
        if refused.status == HTTPStatus.MISDIRECTED_REQUEST:
            text += b"This server answers under localhost and the name given by --host, under no other.\n"
        self.send_response(refused.status)
        headers = {"Connection": "close", "Content-Type": "text/plain; charset=utf-8"} | refused.headers
        for name, value in {**headers, "Content-Length": str(len(text))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def end_headers(self) -> None:
        """Add a header to every answer: a browser takes it for what it is said to be, and nothing else."""
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the page tells what goes wrong."""


class Server(http.server.ThreadingHTTPServer):
    """A thread a connection; a browser that goes away in the middle of an answer is no error.

    Raises OSError or UnicodeError where it can't listen at `host` and `port`.
    """

    daemon_threads = True
    allow_reuse_address = not WINDOWS  # there it would let two servers share a port

    def __init__(self, folder: Path, host: str, port: int) -> None:
        self.folder = folder.resolve()
        self.names = LOOPBACK | {host_name(f"[{host}]" if ":" in host else host)} - {""}
        if host != "localhost":  # which is 127.0.0.1, also where it is ::1 too
            self.address_family = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)[0][0]
        super().__init__((host, port), Handler)
        self.everywhere = ipaddress.ip_address(str(self.server_address[0])).is_unspecified

    def is_called(self, host: str) -> bool:
        """Whether `host`, as a Host header has it, is a name of this server's."""
        name = host_name(host)
        if name in self.names:
            return True
        with contextlib.suppress(ValueError):  # where it is bound to all interfaces each has an address, and no name
            return self.everywhere and bool(ipaddress.ip_address(name))
        return False

    @property
    def address(self) -> str:
        """Where a browser on this machine finds it."""
        host = str(self.server_address[0])
        host = "localhost" if self.everywhere or host in LOOPBACK else f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.server_port}/"

    def server_bind(self) -> None:
        """Bind it; where that is to all of IPv6's addresses, to those of IPv4 too."""
        if self.address_family == socket.AF_INET6:
            with contextlib.suppress(OSError):
                self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        socketserver.TCPServer.server_bind(self)  # HTTPServer's asks for the host's full name, which can take long
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell of an error in answering, unless the other side just went away."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


def make_server(folder: Path, host: str, port: int) -> Server:
    """A server of a folder, bound and not yet running. Port 0 takes a free one."""
    try:
        return Server(folder, host, port)
    except (OSError, UnicodeError) as error:
        taken = isinstance(error, OSError) and error.errno in (errno.EADDRINUSE, errno.EACCES)
        why = "the port is taken, try another --port" if taken else getattr(error, "strerror", None) or "no such host"
        raise Stop(f"cannot serve at {host}:{port}: {why}", NO_PORT) from None


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of a folder served from this process, on a free port."""
    server = make_server(folder, "localhost", 0)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server.address
    finally:
        server.shutdown()
        server.server_close()
