"""A file of another machine, as a stream that outlives broken connections; what is wrong where it can't be had."""

import contextlib
import http.client
import io
import os
import re
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from functools import cache
from string import punctuation
from typing import Any
from urllib.parse import quote, urlsplit

from ..errors import WgmlError, shown
from ..reference import HUB
from .folders import PLACE, token

TRIES = 5  # in a row that bring nothing
PATIENCE = 60.0  # seconds that a server may let us wait for its next byte
_LONGEST_PAUSE = 30.0  # seconds that a server may tell us to wait before the next try
PIECE = 1 << 18  # bytes read at once
ADDRESS = 300  # characters of an address in a message
_SENT = re.compile("bytes ([0-9]{1,18})-(?:[0-9]{1,18})/([0-9]{1,18})?")  # a Content-Range
_COMMIT = re.compile("[0-9a-f]{40}")
_NUMBER = re.compile("[0-9]{1,18}")
_ABOUT = ("X-Repo-Commit", "X-Linked-ETag", "X-Linked-Size")  # what the hub tells before it leads elsewhere


class NetworkError(WgmlError):
    """A file of another machine can't be had; another time, or elsewhere, it might."""


class Unreachable(NetworkError):
    """Its server can't be asked now."""


class Redirects(urllib.request.HTTPRedirectHandler):
    """Goes on to web addresses alone (urllib itself would follow one to ftp), tells another machine no secrets, and
    notes what the hub says of a file before it leads to where its bytes lie."""

    def __init__(self, noted: dict[str, str] | None = None) -> None:
        self.noted = {} if noted is None else noted

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if not re.match("https?:", newurl, re.IGNORECASE):
            raise urllib.error.HTTPError(newurl, code, msg, headers, fp)
        self.noted.update({name: headers[name] for name in _ABOUT if headers.get(name)})
        request = super().redirect_request(req, fp, code, msg, headers, newurl)
        if request is not None and urlsplit(newurl)[:2] != urlsplit(req.full_url)[:2]:
            request.remove_header("Authorization")
        return request


def passing(error: Exception) -> str:
    """Why a request failed, where another try may succeed. Raises NetworkError where none would, and WgmlError for what
    is no address."""
    cause = _cause(error)
    text = " ".join(str(cause).split())[:200] or type(cause).__name__
    tunnel = re.match(r"Tunnel connection failed: (\d{3})", text)
    code = cause.code if isinstance(cause, urllib.error.HTTPError) else int(tunnel[1]) if tunnel else 0
    if code == 407:
        raise NetworkError("the proxy wants a name and a password, as in http://NAME:PASSWORD@HOST:PORT")
    if code >= 500 or code in (408, 416, 429):
        return f"HTTP status {code}"
    if Redirects.inf_msg in str(cause):
        raise NetworkError("its server's redirects go in a circle")
    if code:
        where = "redirected to what is no web address, " if 300 <= code < 400 else ""
        raise NetworkError(f"{'the proxy answers ' if tunnel else where}HTTP status {code}")
    if isinstance(cause, ssl.SSLCertVerificationError):
        why = f"its server's certificate is not trusted ({cause.verify_message})"
        raise NetworkError(f"{why}; SSL_CERT_FILE names a file of those that are")
    if isinstance(cause, FileNotFoundError):
        raise NetworkError("no such file")
    if isinstance(cause, ValueError | http.client.InvalidURL | str):  # a text is urllib's own objection
        raise WgmlError(text)
    return "its server is not known by that name here" if isinstance(cause, socket.gaierror) else text


def _cause(error: Exception) -> object:
    """What is behind an error of urllib's."""
    if isinstance(error, urllib.error.URLError) and not isinstance(error, urllib.error.HTTPError):
        return error.reason
    return error


@cache
def _trusted() -> ssl.SSLContext:
    """What the system trusts; where it names nobody, what comes with `certifi`."""
    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"]:
        with contextlib.suppress(ImportError):
            import certifi

            context.load_verify_locations(certifi.where())
    return context


def web_address(url: str) -> str:
    """`url` in the characters that an address may have. Raises ValueError for a name that no server can have."""
    scheme, _, rest = url.partition("://")
    host = re.split("[/?#]", rest, maxsplit=1)[0]
    plain_host = host if host.isascii() else host.encode("idna").decode()
    return f"{scheme}://{plain_host}{quote(rest.removeprefix(host), safe=punctuation)}"


class Remote(io.RawIOBase):
    """A file of another machine, read front to back; a connection that breaks is made again, and the file gone on with.

    size: of all of it; None where the server does not tell. version: which content the address has now; "" where the
    server does not tell. Raises NetworkError where five tries in a row bring nothing or none would, and WgmlError for
    what is no address.
    """

    def __init__(self, url: str, context: ssl.SSLContext | None = None, tries: int = TRIES) -> None:
        super().__init__()
        self.url, self._context, self._tries = url, context, tries
        self.size: int | None = None
        self.version = self.commit = ""
        self._position = 0
        self._response: Any = None
        self._told: Mapping[str, str] = {}
        self._known = False
        self._attempt(lambda: b"")

    def readable(self) -> bool:
        return True

    def read(self, count: int | None = -1) -> bytes:
        """The next bytes, at most `count`, and fewer where fewer are there; none at the end."""
        most = PIECE if count is None or count < 0 else count
        if self.size is not None:
            most = min(most, self.size - self._position)
        if most <= 0:
            return b""
        data = self._attempt(lambda: self._next(most))
        self._position += len(data)
        return data

    def skip_to(self, position: int) -> None:
        """Read on from there."""
        if position != self._position:
            self._hang_up()
            self._position = position

    def close(self) -> None:
        self._hang_up()
        super().close()

    def _hang_up(self) -> None:
        if self._response is not None:
            self._response.close()
            self._response = None

    def _next(self, count: int) -> bytes:
        data: bytes = self._response.read(min(count, PIECE))
        if not data and self.size is not None:
            raise ConnectionError("the connection broke off")
        return data

    def _attempt(self, act: Callable[[], bytes]) -> bytes:
        """What `act` gives once there is a connection, however often one has to be made."""
        reason, pause = "", 0.0
        try:
            for number in range(self._tries):
                if number:
                    time.sleep(max(pause, 0.5 * 2**number))
                try:
                    if self._response is None:
                        self._connect()
                    return act()
                except (OSError, http.client.HTTPException, ValueError) as error:
                    self._hang_up()
                    pause = _asked_pause(error)
                    reason = passing(error)
                    if not self._known and isinstance(_cause(error), socket.gaierror | ConnectionRefusedError):
                        break  # there is no network, or no server
        except WgmlError as error:
            raise type(error)(f"{shown(self.url, ADDRESS)}: {error}{_advice(str(error), self.url)}") from None
        where = f" at byte {self._position:,} of {self.size:,}" if self._known and self.size else ""
        raise Unreachable(f"{shown(self.url, ADDRESS)}: no connection{where} ({reason}); try again later")

    def _connect(self) -> None:
        headers = {"Accept-Encoding": "identity", "User-Agent": "py_wgml"}
        if self._position:
            headers["Range"] = f"bytes={self._position}-"
        url = self.url
        endpoint = (os.environ.get("HF_ENDPOINT") or HUB).rstrip("/")
        if url.startswith(f"{HUB}/"):
            url = endpoint + url.removeprefix(HUB)
        request = urllib.request.Request(web_address(url), headers=headers)
        if urlsplit(url)[:2] == urlsplit(endpoint)[:2] and (secret := token()):
            request.add_header("Authorization", f"Bearer {secret}")
        noted: dict[str, str] = {}
        secure = urllib.request.HTTPSHandler(context=self._context or _trusted())
        self._response = urllib.request.build_opener(secure, Redirects(noted)).open(request, timeout=PATIENCE)
        self._understand({**dict(self._response.headers.items()), **noted})

    def _understand(self, headers: Mapping[str, str]) -> None:
        told = {name.lower(): value for name, value in headers.items()}
        sent = _SENT.match(told.get("content-range", "")) if self._response.status == 206 else None
        length = told.get("x-linked-size") or (sent[2] if sent else told.get("content-length", ""))
        size = int(length) if length and _NUMBER.fullmatch(length) else None
        tag = told.get("x-linked-etag") or told.get("etag") or ""
        version = tag.removeprefix("W/").strip('"') or told.get("last-modified", "")
        if not self._known:
            commit = told.get("x-repo-commit", "")
            self.size, self.version, self.commit = size, version, commit if _COMMIT.fullmatch(commit) else ""
            self._known = True
        elif version != self.version:
            raise _Changed("it was changed on its server while it was read; load it again")
        if sent and int(sent[1]) != self._position:
            raise http.client.HTTPException("the server sends another part than it was asked for")
        left = 0 if sent else self._position  # of a server that knows no ranges
        while left and (chunk := self._response.read(min(left, PIECE))):
            left -= len(chunk)


class _Changed(NetworkError):
    """What was read before and what would come now are two files."""


def _asked_pause(error: Exception) -> float:
    """Seconds that a server asks to wait before the next try."""
    headers = error.headers if isinstance(error, urllib.error.HTTPError) else None
    asked = headers.get("Retry-After", "") if headers is not None else ""
    return min(float(asked), _LONGEST_PAUSE) if _NUMBER.fullmatch(asked) else 0.0


def _advice(reason: str, url: str) -> str:
    """What a person can do about an answer."""
    place = PLACE.match(url)
    if place and reason.endswith(("401", "403")):
        page = f"{HUB}/{place[1]}/{place[2]}"
        return f"; it may be gated or not exist: accept its terms at {page} and put a token into HF_TOKEN"
    if place and reason.endswith("404"):
        return f"; the files that there are: {HUB}/{place[1]}/{place[2]}/tree/main"
    return "; the address is wrong, or the file gone" if reason.endswith("404") else ""
