"""What a person means who names a model: a file on the Hugging Face Hub, an address, or a path.

The page reads names in the same way (web/shared/reference.js), and build.py with these lines; the cases of all three
are in tests/data/references.json. Standard library only: build.py imports this before anything is installed.
"""

import re
from urllib.parse import quote, unquote

HUB = "https://huggingface.co"

_HOST = r"(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/"
_FILE = re.compile(
    rf"(?:({_HOST})|hf:(?://)?)?"
    r"((?!(?:datasets|spaces)/)\w[\w.-]*/\w[\w.-]*)/(?:(?:blob|raw|resolve)/([^/]+)/)?"
    r"([^?#@]+\.gguf)(?:@([^?#]+))?(?:[?#].*)?",
    re.IGNORECASE | re.ASCII,
)
_UNRESERVED = "!~*'()"  # beside letters, digits and -_. what an address may have as it is

_REPOSITORY = re.compile(
    rf"(?:{_HOST}|hf:(?://)?)?((?!(?:datasets|spaces)/)\w[\w.-]*/\w[\w.-]*?)"
    r"(?:/tree/([^/?#]+))?/?(?::([\w.-]+))?(?:@([^?#]+))?(?:[?#].*)?",
    re.IGNORECASE | re.ASCII,
)


def address_of(reference: str) -> str | None:
    """Where the file lies that `reference` names; None: it is no address, and so may be a path.

    Of the hub these are names: `owner/repository/file.gguf`, with `@revision` behind it if that is not `main` and `hf:`
    or the hub's name before it, and the address of the file or of the page that shows it.
    """
    text = reference.strip()
    found = _FILE.fullmatch(text)
    if found is None:
        return text if re.match("https?://", text, re.IGNORECASE) else None
    host, repository, shown, path, revision = found.groups()
    revision = revision or (unquote(shown) if shown else "main")
    path = unquote(path) if host else path
    return f"{HUB}/{repository}/resolve/{quote(revision, _UNRESERVED)}/{quote(path, '/' + _UNRESERVED)}"


def repository_of(reference: str) -> tuple[str, str, str] | None:
    """The repository of the hub that `reference` names, its revision, and which of its files is meant: as in
    `owner/repository:Q4_K_M`, "" where that is open. None: it names a file, or something else."""
    text = reference.strip()
    found = _REPOSITORY.fullmatch(text)
    if found is None or _FILE.fullmatch(text):
        return None
    repository, shown, kind, revision = found.groups()
    return repository, revision or (unquote(shown) if shown else "main"), kind or ""
