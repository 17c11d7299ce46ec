"""What a package's page says: README.md, whose links to files lead to the sources, or nowhere (see pyproject.toml).

Hatchling calls it when it makes a package; there is nothing else here that it brings along.
"""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

# A picture or a link in a line of its own or amid text, and not to an address.
LINK = re.compile(r"(?P<picture>!?)\[(?P<text>[^\]]*)\]\((?!\w+:|#)(?P<target>[^)\s]+)\)")


def standalone(text: str, sources: str) -> str:
    """Markdown with links to files below the address `sources`; where that is "", with their words alone."""

    def replaced(link: re.Match[str]) -> str:
        if sources:
            return f"{link['picture']}[{link['text']}]({sources}{link['target']})"
        return "" if link["picture"] else link["text"]

    return LINK.sub(replaced, text)


class Readme(MetadataHookInterface):  # type: ignore[misc, unused-ignore]  # it may not be there when types are checked
    """The member `readme` of the metadata."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add it."""
        text = standalone((Path(self.root) / "README.md").read_text(encoding="utf-8"), self.config["sources"])
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
