"""The documentation's site: the Markdown of the project, the sources that it leads to, and the reference.

It is made by MkDocs of a folder that has the pages where they lie in the repository, so that their links are right at
both places. A link to a source leads to a page with that source.
"""

from __future__ import annotations

import ast
import os
import posixpath
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from . import paths
from .errors import Stop, say

PAGES = ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "CHANGELOG.md")
# Between brackets and parentheses, and not an address: where a link or a picture of a page leads to.
LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)#\s]+)")
LANGUAGES = {".py": "python", ".js": "js", ".mjs": "js", ".html": "html", ".wgsl": "rust", ".ipynb": "json"}
# What the reference has: a page, its title, and the module whose `__all__` says what is to be told of.
REFERENCE = {"py_wgml": "py_wgml/__init__.py", "gpu": "py_wgml/gpu/__init__.py", "ops": "py_wgml/ops/__init__.py"}


def make(out: Path) -> None:
    """The site as static files in the folder `out`, which is made anew; a link that leads nowhere is an error."""
    say(f"making {out}")
    with tempfile.TemporaryDirectory() as space:
        folder = Path(space)
        lay_out(folder)
        # Its messages name what is in the folder as it is here; the warning of the theme's makers is about others.
        environment = os.environ | {"NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": ""}
        command = [sys.executable, "-m", "mkdocs", "--quiet", "build", "--strict", "--clean"]
        command += ["--config-file", str(folder / "mkdocs.yml"), "--site-dir", str(out.resolve())]
        if subprocess.call(command, cwd=folder, env=environment):
            raise Stop("the documentation has mistakes: they stand above")


def lay_out(folder: Path) -> None:
    """What MkDocs takes, in `folder`: its settings, the pages, and the package that the reference is made of."""
    for setting in ("docs/mkdocs.yml", "web/build/prose.py"):
        shutil.copy(paths.ROOT / setting, folder)
    shutil.copytree(paths.ROOT / "py_wgml", folder / "py_wgml", ignore=shutil.ignore_patterns("__pycache__"))
    pages = folder / "pages"
    for path in [*(paths.ROOT / name for name in PAGES), *(paths.ROOT / "docs").glob("*.md")]:
        name = path.relative_to(paths.ROOT)
        write(pages / name, led_to_pages(path.read_text(encoding="utf-8"), name.parent, pages))
    shutil.copy(paths.ROOT / "docs/style.css", pages / "docs")
    for title, module in REFERENCE.items():
        write(pages / f"reference/{title}.md", reference(paths.ROOT / module))


def write(path: Path, text: str) -> None:
    """A file in a folder that need not be there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def led_to_pages(text: str, folder: Path, pages: Path) -> str:
    """A page of `folder` (in the repository) whose links to sources lead to pages with these, which are written."""

    def lead(link: re.Match[str]) -> str:
        target = link[1]
        name = posixpath.normpath(posixpath.join(folder.as_posix(), target))
        source = paths.ROOT / name
        if not source.is_file() or name.endswith(".md"):
            return target  # MkDocs says whether it is there
        if "pictures" in source.parts:
            (pages / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, pages / name)
            return target
        language = LANGUAGES.get(source.suffix, "text")
        text = source.read_text(encoding="utf-8")
        shown = f"---\nsearch: {{exclude: true}}\n---\n\n# {name}\n\n``````{language}\n{text}\n``````\n"
        write(pages / f"{name}.md", shown)
        return f"{target}.md"

    return LINK.sub(lead, text)


def reference(module: Path) -> str:
    """A page that asks for the docstrings of all that a module offers."""
    text = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    return "\n\n".join([f"# {dotted(module)}", text, *(f"::: {name}" for name in offered(module))]) + "\n"


def offered(module: Path) -> Iterator[str]:
    """Where the public names of a module are defined: of its `__all__` and of modules that it takes whole."""
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        match node:
            case ast.Assign(targets=[ast.Name("__all__")], value=names):
                yield from (f"{dotted(module)}.{name}" for name in ast.literal_eval(names) if not name.startswith("_"))
            case ast.ImportFrom(module=str(name), names=[ast.alias("*")]):
                yield from offered(module.parent / f"{name.replace('.', '/')}.py")


def dotted(module: Path) -> str:
    """The name by which a module is imported."""
    return ".".join(module.relative_to(paths.ROOT).with_suffix("").parts).removesuffix(".__init__")
