"""Modules as one text do what they do as modules."""

from __future__ import annotations

import json
import re
import subprocess

from py_wgml.javascript import linked
from web.build import paths, pins

MODULES = {
    "worker/a.js": """/** @import { B } from "./b.js" */
import { one, two as second } from "./b.js";
import * as all from "../shared/c.js";
import { startSum } from "./sum.js";

export async function* first() {
  yield one;
}
export function told() {
  return [one, second(), all.three, Object.keys(all), startSum(), new Kept().place, hidden];
}
const hidden = "of a";
export class Kept {
  place = typeof import.meta.url;
}
export const four = 4;
""",
    "worker/b.js": """import { three } from "../shared/c.js";
export const one = three - 2;
const hidden = "of b";
export function two() {
  return hidden;
}
""",
    "shared/c.js": "globalThis.runs = (globalThis.runs ?? 0) + 1;\nexport const three = 3;\n",
}


def run(script: str) -> object:
    command = [str(pins.node()[0]), "--eval", f"globalThis.location = {{ href: 'x' }}; {script}"]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return json.loads(told.stdout)


def test_modules_as_one_text() -> None:
    text = linked("worker/a.js", MODULES.__getitem__, ["sum"])
    script = f"const a = ({text})({{ sum: {{ startSum: () => 'given' }} }});"
    found = run(f"{script} console.log(JSON.stringify([a.told(), Object.keys(a), runs]))")
    told = [1, "of b", 3, ["three"], "given", "string", "of a"]
    assert found == [told, ["first", "told", "Kept", "four"], 1]


def test_the_package_brings_all_that_it_runs() -> None:
    """Each import and each export of these is found: they are written in the style that is looked for."""
    for entry, given in [("worker/notebook.js", ["sum"]), ("worker/gpu.js", [])]:
        seen: list[str] = []

        def read(name: str, seen: list[str] = seen) -> str:
            seen.append(name)
            return (paths.WEB / name).read_text()

        text = linked(entry, read, given)
        assert not re.search(r"^(import|export) ", text, re.MULTILINE) and "import.meta" not in text
        exported = re.findall(r"^export (?:async )?\w+\*? (\w+)", (paths.WEB / entry).read_text(), re.MULTILINE)
        assert run(f"console.log(JSON.stringify(Object.keys(({text})({{ sum: {{}} }}))))") == exported
        assert len(seen) == len({*seen})
