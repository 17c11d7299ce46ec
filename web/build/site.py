"""A site, made in one go of what is pinned."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from py_wgml.javascript import linked

from . import paths
from .bare import bare
from .brand import Brand, write_brand
from .cache import alone, fresh_folder, sha256_of
from .errors import USAGE, Stop, say
from .letters import letter_tables
from .models import Model, publish
from .pins import Pin, fetch, node, node_modules, read_lock

# Where the owner's functions lie in it.
TOOLS = "tools.js"
FAMILIES = "families.json"  # what visitors read of the model that they talk to
# What of web/ goes on a site.
PUBLISHED = ("*.html", "*.js", "*.svg", *(f"{folder}/*.js" for folder in ("page", "sandbox", "shared", "worker")))
PUBLISHED += ("page/words/*.js", "page/*.css", "sandbox/*.py")
BARE = ("page/", "sandbox/", "shared/", "worker/")  # the page's own, beside what others build on
# What of py_wgml no page needs.
NATIVE = {"__main__.py", "_web", "command", "downloads", "plugins"}


def build(
    models: Sequence[Model],
    brand: Brand,
    out: Path,
    most_bytes: int | None = None,
    tools: Path | None = None,
    page: Mapping[str, Any] | None = None,
    embedding: Model | None = None,
) -> None:
    """Make the site in the folder `out`: all of it, or, when something fails, nothing.

    most_bytes: larger models are cut into files of so many bytes.
    tools: a module of functions that the model may call.
    page: what else its owner has decided, for site.json (see Config).
    embedding: a model that makes vectors, with which long files are searched.
    """
    if tools:
        check_tools(tools)
    files = [model.file for model in [*models, *([embedding] if embedding else [])]]
    twice = {file for file in files if files.count(file) > 1}
    if twice:
        raise Stop(f"two models are called {twice.pop()}", USAGE)
    if out.exists() and not (out / "site.json").exists() and any(out.iterdir()):
        raise Stop(f"{out} holds something else than a site that was made here; move it or name another --out", USAGE)
    pins = [pin for pin in read_lock() if pin.role in ("runtime", "loader", "wheel", "pure", "library")]
    fetch(pins)
    runtime = [pin for pin in pins if pin.role == "runtime"]
    archives: dict[str, tuple[Path, bool]] = {}
    site: dict[str, Path] = {}
    for pin in pins:
        if pin.role == "library":
            site[f"lib/{pin.file}"] = pin.path
        elif pin.role == "runtime" and not pin.file.endswith(".zip"):
            site[f"pyodide/{pin.file}"] = pin.path
        else:
            archives[place(pin)] = pin.path, pin.role == "pure"
    with tempfile.TemporaryDirectory() as space:
        own = Path(space, f"py_wgml-{paths.project()['version']}-py3-none-any.whl")
        own.write_bytes(own_wheel())
        archives[f"wheels/{own.name}"] = own, False
        compiled = packed(archives, runtime)
    site |= compiled
    site |= {path.relative_to(paths.WEB).as_posix(): path for pattern in PUBLISHED for path in paths.WEB.glob(pattern)}
    site["lib/cmaps.zip"] = letter_tables()
    site |= bare({name: path for name, path in site.items() if name.startswith(BARE) and path.suffix != ".py"})
    if tools:
        site[TOOLS] = tools
    with fresh_folder(out) as new:
        for name, path in site.items():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, new / name)
        (new / FAMILIES).write_text(json.dumps(families(), indent=1) + "\n", encoding="utf-8")
        write_pyodide_lock(new / "pyodide" / "pyodide-lock.json", pins, compiled)
        sums = {name: sha256_of(new / name) for name in sorted([*site, FAMILIES, *write_brand(new, brand)])}
        about: dict[str, Any] = {
            "title": brand.title,
            "system_prompt": brand.system_prompt,
            "models": [publish(model, new, most_bytes) for model in models],
            "architectures": architectures(),
            "wheels": [name for name in compiled if name.startswith("wheels/")],
        }
        about |= {"tools": TOOLS} if tools else {}
        about |= page or {}
        about |= {"logo": brand.logo_file} if brand.logo else {}
        about |= {"embedding": publish(embedding, new, most_bytes)} if embedding else {}
        version = hashlib.sha256(json.dumps([about, sums], sort_keys=True).encode()).hexdigest()
        about |= {"version": version, "files": [*sums, "site.json"]}
        (new / "site.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def check_tools(path: Path) -> None:
    """Stop, unless a file is a JavaScript module with a default export: what it exports, the page looks at."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Stop(f"{path}: {getattr(error, 'strerror', None) or 'it is no text'}", USAGE) from None
    command: list[str | Path] = [node()[0], "--input-type=module", "--check"]
    checked = subprocess.run(command, input=text, text=True, encoding="utf-8", capture_output=True, check=False)
    if checked.returncode:
        why = next((line for line in checked.stderr.splitlines() if "Error" in line), checked.stderr)
        raise Stop(f"{path} is no JavaScript module: {why.strip()}", USAGE)
    if not re.search(r"\bexport\s+default\b|\bas\s+default\b", text):
        raise Stop(f"{path} has no default export: it is to be a list of functions, see docs/site.md", USAGE)


def families() -> dict[str, str]:
    """The Python of each model family, by its file's name without the suffix: what runs is compiled."""
    folder = paths.PACKAGE / "models"
    listed = (folder / "__init__.py").read_text(encoding="utf-8")
    names = listed.partition("from . import (")[2].partition(")")[0].replace(",", " ").split()
    return {name: (folder / f"{name}.py").read_text(encoding="utf-8") for name in names}


def architectures() -> list[str]:
    """What general.architecture of a GGUF file may be for the page to talk to its model."""
    found: set[str] = set()
    for text in families().values():  # no import: a build has no NumPy
        told: dict[str, tuple[str, ...]] = {"ENCODERS": ()}
        for line in ast.parse(text).body:
            match line:
                case ast.Assign(targets=[ast.Name("ARCHITECTURES" | "ENCODERS" as name)], value=ast.Name(other)):
                    told[name] = told[other]
                case ast.Assign(targets=[ast.Name("ARCHITECTURES" | "ENCODERS" as name)], value=value):
                    told[name] = ast.literal_eval(value)
        found |= set(told["ARCHITECTURES"]) - set(told["ENCODERS"])
    return sorted(found)


def own_wheel() -> bytes:
    """py_wgml as the page has it, straight from the sources: what `pip wheel .` takes, but for what no page needs."""
    about = paths.project()
    name = f"py_wgml-{about['version']}"
    metadata = f"Metadata-Version: 2.4\nName: {about['name']}\nVersion: {about['version']}\n"
    metadata += "".join(f"Requires-Dist: {requirement}\n" for requirement in sorted(about["dependencies"]))
    files = {f"py_wgml/{path.relative_to(paths.PACKAGE).as_posix()}": path for path in paths.PACKAGE.rglob("*")}
    if not paths.INSTALLED_PACKAGE:
        kernels = paths.ROOT / "wgsl"
        files |= {f"py_wgml/_wgsl/{path.relative_to(kernels).as_posix()}": path for path in kernels.rglob("*")}
    files = {inside: path for inside, path in files.items() if inside.split("/")[1] not in NATIVE}
    files |= {f"py_wgml/_web/{name}": paths.WEB / name for name in brought()}
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w") as out:
        for inside, path in sorted(files.items()):
            if path.is_file() and "__pycache__" not in path.parts:
                out.writestr(zipfile.ZipInfo(inside), path.read_bytes())
        out.writestr(zipfile.ZipInfo(f"{name}.dist-info/METADATA"), metadata)
        out.writestr(
            zipfile.ZipInfo(f"{name}.dist-info/WHEEL"),
            "Wheel-Version: 1.0\nGenerator: build.py\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        out.writestr(zipfile.ZipInfo(f"{name}.dist-info/RECORD"), "")  # written when it is packed
    return wheel.getvalue()


def brought() -> set[str]:
    """Scripts of web/ that Python itself brings to a page that has none of them, a notebook's say."""
    found = set()

    def read(name: str) -> str:
        found.add(name)
        return (paths.WEB / name).read_text(encoding="utf-8")

    linked("worker/gpu.js", read)
    linked("worker/notebook.js", read, ["sum"])
    return found


@alone()
def packed(archives: dict[str, tuple[Path, bool]], runtime: Sequence[Pin]) -> dict[str, Path]:
    """Archives of Python (place in the site -> file, whether to leave machine code out) as compiled Python.

    Pyodide itself compiles them, once for each content: see pack.py. Returns place in the site -> file.
    """
    about = next(pin.path for pin in runtime if pin.file == "pyodide-lock.json")
    python = ".".join(json.loads(about.read_text(encoding="utf-8"))["info"]["python"].split(".")[:2])
    recipe = b"".join(Path(__file__).with_name(name).read_bytes() for name in ("pack.mjs", "pack.py"))
    recipe += "".join(pin.sha256 for pin in runtime).encode()
    folder = paths.CACHE / "packed"
    done: dict[str, Path] = {}
    jobs: list[dict[str, Any]] = []
    folder.mkdir(parents=True, exist_ok=True)
    for name, (path, pure) in archives.items():
        key = hashlib.sha256(recipe + name.encode() + path.read_bytes()).hexdigest()
        done[name] = folder / f"{Path(name).name}-{key[:16]}"
        if not done[name].exists():
            for old in folder.glob(f"{Path(name).name}-*"):
                old.unlink()
            is_library = name.endswith(".zip")
            prefix = f"/lib/python{python.replace('.', '')}.zip" if is_library else f"/lib/python{python}/site-packages"
            jobs.append({"input": str(path), "output": f"{done[name]}.new", "prefix": prefix, "pure": pure})
    if jobs:
        say(f"compiling {len(jobs)} of {len(archives)} Python archives")
        program, _ = node()
        command = [program, Path(__file__).with_name("pack.mjs"), node_modules() / "pyodide"]
        result = subprocess.run(command, input=json.dumps(jobs), text=True, capture_output=True, check=False)
        if result.returncode:
            raise Stop(f"the Python files did not compile:\n{result.stderr[-3000:]}")
        for job in jobs:
            Path(job["output"]).rename(job["output"].removesuffix(".new"))
    return done


def place(pin: Pin) -> str:
    """Where an archive of Python lies in the site."""
    if pin.role in ("runtime", "loader"):
        return f"pyodide/{pin.file}"
    name, version = pin.file.split("-")[:2]
    return f"wheels/{name}-{version}-py3-none-any.whl" if pin.role == "pure" else f"wheels/{pin.file}"


def write_pyodide_lock(path: Path, pins: Sequence[Pin], compiled: dict[str, Path]) -> None:
    """Cut Pyodide's own list of packages down to those that it loads itself, with the sums of our packed ones."""
    lock = json.loads(path.read_text(encoding="utf-8"))
    loaders = {pin.file.split("-")[0]: place(pin) for pin in pins if pin.role == "loader"}
    sums = {name: sha256_of(compiled[archive]) for name, archive in loaders.items()}
    packages = {name: lock["packages"][name] | {"sha256": sums[name]} for name in loaders}
    path.write_text(json.dumps({"info": lock["info"], "packages": packages}, indent=1) + "\n", encoding="utf-8")
