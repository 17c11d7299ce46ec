"""Packs a zip archive of Python sources as compiled Python. Run by pack.mjs inside Pyodide, so that the byte code is of
the Python that will run it and the compression is the same on every machine: equal input gives equal bytes.
"""

import base64
import hashlib
import importlib.util
import io
import marshal
import zipfile
from typing import Any

COMPILER_ONLY = (".pyi", ".pyx", ".pxd", ".c", ".h", ".a")  # read by compilers and type checkers, never at run time
UNCHECKED_HASH = (1).to_bytes(4, "little")  # PEP 552: the byte code is valid whatever became of its source


def compiled(source: bytes, filename: str) -> bytes:
    """The content of the .pyc file of a module (PEP 552), its tracebacks naming `filename`."""
    code = compile(source, filename, "exec", dont_inherit=True, optimize=0)
    return importlib.util.MAGIC_NUMBER + UNCHECKED_HASH + importlib.util.source_hash(source) + marshal.dumps(code)


def purified(wheel_metadata: bytes) -> bytes:
    """The content of a WHEEL file, saying that the wheel runs on any Python 3."""
    kept = [line for line in wheel_metadata.decode().splitlines() if not line.startswith(("Root-Is-Purelib", "Tag"))]
    return "\n".join([*filter(None, kept), "Root-Is-Purelib: true", "Tag: py3-none-any", ""]).encode()


def record(files: dict[str, bytes], name: str) -> bytes:
    """The content of a wheel's RECORD file, itself called `name`."""
    rows = []
    for path, content in sorted(files.items()):
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(content)}\n")
    return "".join([*rows, f"{name},,\n"]).encode()


def pack(archive: Any, prefix: str, pure: bool) -> bytes:
    """The archive (a JavaScript Uint8Array) with each module `x.py` replaced by its `x.pyc`.

    prefix: the folder that the files will lie in, for tracebacks.
    pure: leave the machine code of a wheel out, where the package does without it.
    """
    files: dict[str, bytes] = {}
    with zipfile.ZipFile(io.BytesIO(archive.to_bytes())) as source:
        for name in source.namelist():
            content = source.read(name)
            if name.endswith(("/", *COMPILER_ONLY)) or (pure and name.endswith(".so")):
                continue
            if name.endswith(".py"):
                name, content = f"{name}c", compiled(content, f"{prefix}/{name}")
            elif pure and name.endswith(".dist-info/WHEEL"):
                content = purified(content)
            files[name] = content
    for name in [name for name in files if name.endswith(".dist-info/RECORD")]:
        del files[name]
        files[name] = record(files, name)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name)  # dated 1980-01-01
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            out.writestr(entry, content)
    return target.getvalue()
