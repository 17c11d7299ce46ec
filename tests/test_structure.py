"""What keeps the house in order: layers, docstrings, lengths of files."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from web.build import paths

PACKAGE = paths.ROOT / "py_wgml"
# From the bottom up: each may import those before it, and of its own folder what it likes.
LAYERS = (
    *(
        "errors",
        "names",
        "threads",
        "facts",
        "requests",
        "insight",
        "findings",
        "timeline",
        "protocol",
        "progress",
        "values",
        "markdown",
        "notebook",
        "reference",
        "downloads",
        "javascript",
        "grammar",
        "retrieval",
        "metadata",
        "wgsl",
        "gpu",
        "gguf_model",
        "tokenizer",
        "ops",
    ),
    *("models", "generate", "chat", "prompts", "inputs", "forms", "options", "loaded", "introspection", "model"),
    *("sync", "inside", "searching", "worker", "command", "plugins", "__main__"),
)
LONGEST = 500  # lines of a file
# Tables of data, and what is made of other files.
DATA = {"web/shared/protocol.d.ts", "tests/tiny.py"}
DATA |= {path.relative_to(paths.ROOT).as_posix() for path in (paths.WEB / "page" / "words").glob("*.js")}
PRODUCT = [*PACKAGE.rglob("*.py"), paths.ROOT / "build.py", *(paths.WEB / "build").glob("*.py")]
ARRAYS = re.compile(r"\b(Array|NDArray|ArrayLike|Buffer)\b")
SHAPE = re.compile(r"\[[^\]]+\]|bytes|as (?:q|x|qkv|ids)\b", re.IGNORECASE)


def layer_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path, text: str) -> Iterator[str]:
    """The layers of py_wgml that a module imports, for types too."""
    folders = path.relative_to(PACKAGE.parent).parts
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = [*folders[: len(folders) - node.level], node.module or ""] if node.level else [node.module or ""]
            names = [".".join(filter(None, [*base, alias.name])) for alias in node.names]
        else:
            continue
        yield from (name.split(".")[1] for name in names if name.startswith("py_wgml."))


def test_imports_are_seen() -> None:
    text = "from .a import x\nfrom . import b\nimport py_wgml.c\nfrom py_wgml.d.e import y\nimport os\n"
    assert [*imports(PACKAGE / "module.py", text)] == ["a", "b", "c", "d"]
    assert [*imports(PACKAGE / "f" / "module.py", "from ..a import x\nfrom .. import b\nfrom .c import d")] == [
        "a",
        "b",
        "f",
    ]


@pytest.mark.parametrize(
    "path", [p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py"], ids=lambda p: p.name
)
def test_layers_import_downwards(path: Path) -> None:
    own = layer_of(path)
    allowed = {*LAYERS[: LAYERS.index(own) + 1]}
    assert {found for found in imports(path, path.read_text()) if found in LAYERS} <= allowed


def test_the_product_imports_nothing_of_the_tests() -> None:
    tests = {path.stem for path in (paths.ROOT / "tests").iterdir()} - {"build"}
    for path in PRODUCT:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found = {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found = {(node.module or "").partition(".")[0]}
            else:
                continue
            assert not found & (tests | {"tests"}), path


def public_functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    for path in PACKAGE.rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                yield f"{path.relative_to(PACKAGE).as_posix()}:{node.name}", node


@pytest.mark.parametrize(
    ("name", "function"), list(public_functions()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_public_functions_tell_shapes_and_errors(name: str, function: ast.FunctionDef) -> None:
    told = ast.get_docstring(function) or ""
    assert told, "no docstring"
    taken = [ast.unparse(argument.annotation) for argument in function.args.args if argument.annotation]
    if any(ARRAYS.search(annotation) for annotation in taken):
        assert SHAPE.search(told), "no shapes"
    own = [node for node in ast.walk(function) if isinstance(node, ast.Raise) and node.exc is not None]
    if any("WgmlError" in ast.unparse(node) for node in own):
        assert "Raises" in told or "refuse" in told or "raised" in told, "no errors"


def test_no_file_is_long() -> None:
    sources = [*PRODUCT, *(paths.ROOT / "tests").rglob("*.py"), *(paths.ROOT / "wgsl").rglob("*.wgsl")]
    sources += [path for folder in ("page", "worker", "shared") for path in (paths.WEB / folder).glob("*.*s")]
    long = {
        path.relative_to(paths.ROOT).as_posix(): lines
        for path in sources
        if (lines := path.read_text().count("\n")) > LONGEST
    }
    assert {name: lines for name, lines in long.items() if name not in DATA} == {}


@pytest.mark.parametrize("paper", [*paths.ROOT.glob("*.md"), *(paths.ROOT / "docs").glob("*.md")], ids=lambda p: p.name)
def test_papers_lead_somewhere(paper: Path) -> None:
    """Links to files, and files that a paper names."""
    text = paper.read_text()
    links = [link for link in re.findall(r"\]\(([^)#\s]+)\)", text) if "://" not in link]
    assert all((paper.parent / link).exists() for link in links), links
    named = re.findall(r"`((?:py_wgml|web|wgsl|tests|docs)/[\w./-]+\.\w+)`", text)
    missing = {name for name in named if "NAME" not in name and not (paths.ROOT / name).exists()}
    assert not missing


IMPORT = re.compile(r"""(?:\bfrom\s*|\bimport\s*\(?\s*)["'](\.[^"']+)["']""")
# By folder of web/, from which others its scripts import nothing, not even types.
APART = {"page": {"worker"}, "worker": {"page"}, "shared": {"page", "worker"}}


@pytest.mark.parametrize("folder", APART)
def test_page_and_worker_do_not_import_each_other(folder: str) -> None:
    scripts = [*(paths.WEB / folder).glob("*.js")]
    assert scripts
    for script in scripts:
        for name in IMPORT.findall(script.read_text()):
            used = (script.parent / name).resolve().relative_to(paths.WEB).parts[0]
            assert used not in APART[folder], (script.name, name)
