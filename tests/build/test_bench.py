"""`build.py bench`: tables of results, and beside those that were kept."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from web.build import bench, paths
from web.build.errors import USAGE, Stop


def measured(name: str, vendor: str = "a", **summary: float) -> dict[str, Any]:
    """What a result tells of a model."""
    return {"model": {"name": name}, "adapter": {"vendor": vendor, "device": "one"}, "bench": {"summary": summary}}


def test_a_table_of_models_that_have_not_all_the_same_figures() -> None:
    models = [measured("small", prefill=27123.4, decode=0.01234), measured("large", prefill=750.0, fixed=-3.14159)]
    assert bench.table(models) == (
        "| model | prefill | decode | fixed |\n"
        "| --- | --- | --- | --- |\n"
        "| small | 27,123 | 0.0123 | - |\n"
        "| large | 750 | - | -3.14 |"
    )


def test_shares_of_a_kept_result() -> None:
    result = {"models": [measured("x", rate=30.0, ms=4.0, new=1.0), measured("y", rate=1.0)]}
    shares, notes = bench.compared(result, {"models": [measured("x", rate=20.0, ms=8.0, none=0.0)]})
    assert [model["bench"]["summary"] for model in shares] == [{"rate": 1.5, "ms": 0.5}]
    assert notes == ["y: not in the kept result, which has x"]


def test_another_adapter_is_named() -> None:
    shares, notes = bench.compared({"models": [measured("x", "a", r=3.0)]}, {"models": [measured("x", "b", r=1.0)]})
    assert shares[0]["bench"]["summary"] == {"r": 3.0}
    assert notes == ["x: on another adapter, a one; before b one"]
    nameless: dict[str, Any] = {"adapter": {"vendor": "", "features": []}}
    assert bench.adapter_of(nameless) == "a GPU without a name"


OTHERS = ["", "no JSON", "[]", "5", "null", "{}", '{"models": 5}', '{"models": [{}]}', '{"models": [{"model": 1}]}']
OTHERS += ['{"models": {"a": 1}}', "[" * 100_000, '{"error": "no tokens"}', '{"models": []}']
WRONG: tuple[dict[str, Any], ...] = ({"adapter": 1}, {"bench": {}}, {"model": {}})
OTHERS += [json.dumps({"models": [measured("x") | wrong]}) for wrong in WRONG]
OTHERS += [json.dumps({"models": [measured("x") | {"bench": {"summary": {"rate": "fast"}}}]})]
OTHERS += [json.dumps({"models": [measured("x") | {"adapter": {"vendor": 5}}]})]
OTHERS += [json.dumps({"models": [measured("x") | {"model": {"name": 5}}]})]


@pytest.mark.parametrize("text", OTHERS, ids=lambda text: text[:40])
def test_a_file_that_is_no_result(text: str, tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    file.write_text(text)
    with pytest.raises(Stop, match=r"^[^\n]*kept\.json: no result that build.py bench --json has kept$") as stop:
        bench.kept(file)
    assert stop.value.code == USAGE


def test_a_kept_result_is_read(tmp_path: Path) -> None:
    result = {"models": [measured("x", rate=20.0)]}
    (tmp_path / "kept.json").write_text(json.dumps(result))
    assert bench.kept(tmp_path / "kept.json") == result
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\xfa")
    for name, told in (("none.json", "No such file"), ("", "Is a directory"), ("bytes.json", "no result")):
        with pytest.raises(Stop, match=told):
            bench.kept(tmp_path / name)


@pytest.mark.slow
def test_several_models_natively_beside_a_kept_result(tmp_path: Path) -> None:
    from minilm import write_minilm
    from tiny import write_tiny_llama

    write_tiny_llama(tmp_path / "llama.gguf", context=64)
    write_minilm(tmp_path / "minilm.gguf")
    models = [part for name in ("llama", "minilm") for part in ("--model", str(tmp_path / f"{name}.gguf"))]
    options = ["--prompt-tokens", "8", "16", "--prompt-repetitions", "2", "--generate-tokens", "4", "--contexts", "0"]
    options += ["--repetitions", "1", "--texts", "8", "--json", str(tmp_path / "kept.json")]

    def run(*more: str) -> list[str]:
        command: list[str | Path] = [sys.executable, paths.ROOT / "build.py", "bench", "--native", *options, *more]
        done = subprocess.run(command, capture_output=True, text=True, timeout=1000, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return str(done.stdout).splitlines()

    lines = run(*models)
    kept = json.loads((tmp_path / "kept.json").read_text())["models"]
    assert [len(model["bench"]["summary"]) for model in kept] == [4, 2]
    rows = lines[lines.index("| --- | --- | --- | --- | --- | --- | --- |") :]
    assert len(rows) == 3
    against = run(*models[:2], "--against", str(tmp_path / "kept.json"))
    heading = next(line for line in against if line.startswith("| as shares of kept.json"))
    shares = against[against.index(heading) + 2].split(" | ")[1:]
    assert len(shares) == 4 and all(float(share.strip(" |").replace(",", "")) for share in shares)
