"""Where downloads are kept on this machine, and the secret that opens the hub's gated files.

Files of the Hugging Face Hub lie where its own library keeps them, in the same layout, so that what one has fetched the
other finds: https://huggingface.co/docs/huggingface_hub/guides/manage-cache . Files of other servers lie beside that
folder, in folders of the same layout.
"""

import contextlib
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote

from ..reference import HUB

PLACE = re.compile(rf"{re.escape(HUB)}/([^/]+)/([^/]+)/resolve/([^/]+)/([^?#]+)")
_TRUE = {"1", "ON", "YES", "TRUE"}


def hub_folder() -> Path:
    """Where files of the hub are kept: $HF_HUB_CACHE, or `hub` in $HF_HOME (else ~/.cache/huggingface)."""
    named = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    return Path(os.path.expandvars(named)).expanduser() if named else _home() / "hub"


def _home() -> Path:
    caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("HF_HOME") or os.path.join(caches, "huggingface")
    return Path(os.path.expandvars(home)).expanduser()


def is_set(*names: str) -> bool:
    """Whether one of these variables of the environment says yes."""
    return any(os.environ.get(name, "").upper() in _TRUE for name in names)


def token() -> str | None:
    """What opens gated files of the hub: $HF_TOKEN, or what `hf auth login` has kept."""
    named = os.environ.get("HF_TOKEN") or os.environ.get("HUGGING_FACE_HUB_TOKEN")
    if not named and not is_set("HF_HUB_DISABLE_IMPLICIT_TOKEN"):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            named = Path(os.environ.get("HF_TOKEN_PATH") or _home() / "token").expanduser().read_text(encoding="utf-8")
    secret = (named or "").strip()
    return secret if secret.isascii() and secret.isprintable() and secret else None


class Content(Protocol):
    """What a server tells of the file that an address has now."""

    size: int | None
    version: str
    """"" where the server does not tell."""
    commit: str
    """The hub's, else ""."""


@dataclass(frozen=True)
class Shelf:
    """Where the file of one address is kept, in the hub's layout."""

    root: Path
    revision: str
    path: str

    @classmethod
    def of(cls, url: str) -> "Shelf":
        """A repository of the hub has a folder of its own, and so has any other address."""
        if place := PLACE.fullmatch(url.partition("?")[0].partition("#")[0]):
            owner, name, revision, path = (unquote(part) for part in place.groups())
            steps = [owner, name, *revision.split("/"), *path.split("/")]
            if not any(step in ("", ".", "..") or set(step) & set("/\\\0") for step in steps):
                return cls(hub_folder() / f"models--{owner}--{name}", revision, path)
        key = hashlib.sha256(url.encode(errors="surrogatepass")).hexdigest()[:32]
        return cls(_home() / "py_wgml" / key, "main", file_name(url))

    @property
    def is_hubs(self) -> bool:
        """Whether the file is one of the hub's."""
        return self.root.name.startswith("models--")

    def kept(self) -> Path | None:
        """The file as it was when it was last fetched, by whomever; None: it never was, or not to its end."""
        commit = self.revision
        with contextlib.suppress(OSError, UnicodeDecodeError, ValueError):
            commit = (self.root / "refs" / self.revision).read_text(encoding="utf-8").strip()
        path = self.root / "snapshots" / commit / self.path
        return path if os.path.isfile(path) else None

    def names_content(self) -> bool:
        """Whether what is kept can't be out of date: the revision is a commit."""
        return self.is_hubs and re.fullmatch("[0-9a-f]{40}", self.revision) is not None

    def blob(self, remote: Content) -> Path:
        """Where the bytes lie once they are whole."""
        known = remote.version if self.is_hubs and re.fullmatch("[0-9a-f]{40,64}", remote.version) else ""
        return self.root / "blobs" / (known or hashlib.sha256(f"{remote.version} {remote.size}".encode()).hexdigest())

    def find(self, remote: Content) -> Path | None:
        """The file, if what the address has now is kept."""
        if not remote.version:
            return None
        pointer, blob = self._pointer(remote), self.blob(remote)
        if not os.path.isfile(pointer) and os.path.isfile(blob):
            self.publish(remote)
        return pointer if os.path.isfile(pointer) else None

    def publish(self, remote: Content) -> Path:
        """Let the revision mean the commit that was fetched, and the path there the bytes. Raises OSError."""
        pointer, blob = self._pointer(remote), self.blob(remote)
        pointer.parent.mkdir(parents=True, exist_ok=True)
        if not os.path.isfile(pointer):
            pointer.unlink(missing_ok=True)  # a link that leads nowhere
            try:
                pointer.symlink_to(os.path.relpath(blob, pointer.parent))
            except FileExistsError:  # of another process, just now
                pass
            except OSError:  # this system's disks, or its rules, know no links
                os.replace(blob, pointer)
        commit = self._commit(remote)
        if self.revision != commit:
            reference = self.root / "refs" / self.revision
            reference.parent.mkdir(parents=True, exist_ok=True)
            reference.write_text(commit, encoding="utf-8")
        return pointer

    def _commit(self, remote: Content) -> str:
        """What stands for the content of all files: the hub's commit, elsewhere the content of the one."""
        return remote.commit if self.is_hubs and remote.commit else self.blob(remote).name[:40]

    def _pointer(self, remote: Content) -> Path:
        return self.root / "snapshots" / self._commit(remote) / self.path


def file_name(url: str) -> str:
    """What the file of an address may be called on any disk."""
    name = unquote(url.partition("?")[0].partition("#")[0].rpartition("/")[2])
    return re.sub(r"[^\w.() +-]", "_", name)[-200:].strip(". ") or "model.gguf"
