"""Which file of a repository is meant, where somebody names the repository alone, or with the kind of its numbers."""

import json
import os
import re
from urllib.parse import quote

from ..errors import WgmlError, shown
from ..reference import HUB, repository_of
from .folders import hub_folder, is_set
from .remote import NetworkError, Remote, Unreachable

# What is taken where no kind is named, the first that there is: small, and little worse than the whole.
_USUAL = ("Q4_K_M", "Q4_0", "Q4_K_S", "Q4_1", "Q5_K_M", "Q8_0")
_LONGEST = 16 << 20  # bytes of a list of files
_LISTED = 12  # files in a message


def find_address(name: str) -> str | None:
    """The address of the GGUF file that `owner/repository:KIND` or `owner/repository` means (Q4_K_M, if there is one);
    None: the name is of another form.

    Raises NetworkError where the hub can't be asked and nothing of the repository is kept, or has no such repository,
    and WgmlError where no file, or more than one, is meant.
    """
    found = repository_of(name)
    if found is None:
        return None
    repository, revision, kind = found
    files = _models(_files(repository, revision))
    for wanted in [kind] if kind else _USUAL:
        stands = re.compile(rf"(^|[-_./]){re.escape(wanted)}[-_./]", re.IGNORECASE)
        if fitting := list(filter(stands.search, files)):
            files = [min(fitting, key=len)]
            break
    else:
        if kind or len(files) != 1:
            raise WgmlError(_unclear(repository, kind, files))
    return f"{HUB}/{repository}/resolve/{quote(revision, safe='')}/{quote(files[0])}"


def _models(paths: list[str]) -> list[str]:
    """The models among files: not the eyes of one, nor what its quantization was made by; of a split one, its first
    part."""
    names = re.compile(r"(?!.*(?:mmproj|imatrix)).*\.gguf", re.IGNORECASE)
    found = [path for path in paths if names.fullmatch(os.path.basename(path))]
    return [path for path in found if (part := re.search(r"-(\d{5})-of-\d{5}", path)) is None or part[1] == "00001"]


def _files(repository: str, revision: str) -> list[str]:
    """All files of a repository, by the hub, or where that can't be asked, those that are kept."""
    url = f"{HUB}/api/models/{repository}/tree/{quote(revision, safe='')}?recursive=true"
    kept = _kept(repository, revision)
    if is_set("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        if kept:
            return kept
        raise NetworkError(f"nothing of {shown(repository)} is kept here, and HF_HUB_OFFLINE forbids to ask the hub")
    try:
        with Remote(url, tries=1 if kept else 3) as remote:
            text = b"".join(iter(lambda: remote.read(1 << 18), b""))[:_LONGEST]
        return [str(entry["path"]) for entry in json.loads(text) if entry["type"] == "file"]
    except Unreachable:
        if kept:
            return kept
        raise
    except NetworkError as error:
        if re.search("HTTP status 40[134]", str(error)):
            why = "there is no such repository, or a token of its readers has to be in HF_TOKEN"
            raise NetworkError(f"{HUB}/{repository}: {why}") from None
        raise
    except (ValueError, LookupError, TypeError):
        raise NetworkError(f"{HUB}/{repository}: the hub's list of its files can't be read") from None


def _kept(repository: str, revision: str) -> list[str]:
    root = hub_folder() / f"models--{repository.replace('/', '--')}"
    try:
        folder = root / "snapshots" / (root / "refs" / revision).read_text(encoding="utf-8").strip()
        return [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    except (OSError, ValueError):
        return []


def _unclear(repository: str, kind: str, files: list[str]) -> str:
    if not files:
        return f"{HUB}/{repository} has no GGUF file"
    names = ", ".join(shown(path) for path in sorted(files)[:_LISTED]) + ", …" * (len(files) > _LISTED)
    if kind:
        return f"{HUB}/{repository} has no GGUF file of {shown(kind)}; it has {names}"
    return f"{HUB}/{repository} has several GGUF files; name one, as in {repository}/{shown(files[0])}: {names}"


def kept_models() -> list[str]:
    """The GGUF files of the hub that are kept on this machine, as `owner/repository/file.gguf`; of a split model its
    first part."""
    found = []
    for root in sorted(hub_folder().glob("models--*--*")):
        repository = root.name.removeprefix("models--").replace("--", "/", 1)
        found += [f"{repository}/{path}" for path in _models(_kept(repository, "main"))]
    return found
