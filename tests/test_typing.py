"""What a user's mypy makes of a script that has every public name: errors where they are, and nowhere else."""

import re
import subprocess
import sys
from pathlib import Path

import py_wgml
from web.build import paths

SCRIPT = Path(__file__).parent / "strict" / "user.py"


def test_a_script_is_checked(tmp_path: Path) -> None:
    (tmp_path / "user.py").write_text(SCRIPT.read_text())
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--follow-imports=silent", "user.py"]
    places = {"MYPYPATH": str(paths.ROOT), "MYPY_CACHE_DIR": str(tmp_path / "cache"), "PATH": ""}
    done = subprocess.run(command, cwd=tmp_path, env=places, capture_output=True, text=True)
    lines = enumerate(SCRIPT.read_text().splitlines(), 1)
    wanted = [(str(number), kind) for number, line in lines for kind in re.findall(r"# error: (\S+)", line)]
    found = re.findall(r"user\.py:(\d+): error: .*\[([\w-]+)\]$", done.stdout, re.MULTILINE)
    assert found == wanted, done.stdout + done.stderr


def test_the_script_has_every_public_name() -> None:
    missing = {name for name in py_wgml.__all__ if not re.search(rf"\b{name}\b", SCRIPT.read_text())}
    assert not missing
    assert dir(py_wgml) == sorted(py_wgml.__all__)
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", py_wgml.__version__)
