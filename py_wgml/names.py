"""Values by name, where each name must be given once and none other."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from typing import TypeVar

from .errors import WgmlError, shown

T = TypeVar("T")

Mappings = Mapping[str, T] | Sequence[Mapping[str, T]]
"""A mapping, or several that have no name in common."""


def joined(what: str, mappings: Mappings[T]) -> dict[str, T]:
    """The pairs of all. Raises WgmlError, which begins with `what`, when two of them have the same name."""
    if isinstance(mappings, Mapping):
        return dict(mappings)
    whole: dict[str, T] = {}
    for mapping in mappings:
        whole.update(mapping)
    if len(whole) < sum(map(len, mappings)):
        counts = Counter(chain.from_iterable(mappings))
        raise WgmlError(f"{what}: given twice: {_listed(sorted(name for name, count in counts.items() if count > 1))}")
    return whole


def require_names(what: str, wanted: Collection[str], given: Collection[str]) -> None:
    """Compare names. Raises WgmlError, which begins with `what`, when a wanted name is not given, or another one is."""
    if set(wanted) == set(given):
        return
    missing, unknown = ([name for name in a if name not in b] for a, b in ((wanted, given), (given, wanted)))
    lists = (("missing", missing), ("unknown", unknown))
    raise WgmlError(f"{what}: {'; '.join(f'{kind}: {_listed(names)}' for kind, names in lists if names)}")


def _listed(names: Collection[str]) -> str:
    return ", ".join(shown(str(name)) for name in names)
