"""Kernels broken on purpose: the tests must notice each.

    python3 tests/ops/mutate.py [FILTER ...]    breaks one kernel after the other, in a copy, and runs its tests there

FILTER is a part of what a mutation is called. Exit code 1 if one goes unnoticed. It takes some minutes, and so is not
among the tests; those only see to it that each mutation still has something to break.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]
    from web.build.environment import in_venv

    in_venv("test")

from ops.table import MUTATIONS

ROOT = Path(__file__).parents[2]
NOT_COPIED = shutil.ignore_patterns(".*", "node_modules", "__pycache__", "dist")


def main() -> None:
    wanted = [m for m in MUTATIONS if not sys.argv[1:] or any(part in m.name for part in sys.argv[1:])]
    if not wanted:
        raise SystemExit("no mutation has such a name")
    unnoticed = 0
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT, folder, ignore=NOT_COPIED, dirs_exist_ok=True)
        for mutation in wanted:
            path = Path(folder, "wgsl", mutation.file)
            whole = path.read_text()
            path.write_text(whole.replace(mutation.text, mutation.replacement))
            verdict = verdict_of(folder, mutation.tests)
            path.write_text(whole)
            unnoticed += verdict != "noticed"
            print(f"{mutation.name:24} {mutation.file:24} {verdict}", flush=True)
    if unnoticed:
        raise SystemExit(1)


def verdict_of(folder: str, tests: str) -> str:
    """What the tests of the ops, on one compiler, say to the kernels in a copy of this project."""
    tests = f"({tests}) and not test_mutations"  # which says nothing but that the text has changed
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-m", "not slow", "-k", tests]
    done = subprocess.run([*command, "tests/ops"], cwd=folder, capture_output=True, text=True, check=False)
    if "WgmlError: kernel" in done.stdout:
        return "does not compile"
    return {0: "NOT NOTICED", 1: "noticed"}.get(done.returncode, f"pytest ended with {done.returncode}")


if __name__ == "__main__":
    main()
