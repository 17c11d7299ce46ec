"""Scripts and styles as visitors get them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from web.build import paths, pins
from web.build.bare import bare, bare_style
from web.build.errors import Stop

# What a module imports and exports, and which names it takes from the browser, as TypeScript reads it.
TOLD = """
import ts from "TYPESCRIPT";
let given = "";
for await (const piece of process.stdin) given += piece;
console.log(JSON.stringify(JSON.parse(given).map((text) => {
  const file = ts.createSourceFile("a.js", text, ts.ScriptTarget.ESNext, true);
  const found = new Set(), members = new Set();
  const visit = (node) => {
    const isImport = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
    if (ts.isImportDeclaration(node) || isImport) found.add("from " + (node.moduleSpecifier ?? node.arguments[0]).text);
    const words = ts.canHaveModifiers(node) ? (ts.getModifiers(node) ?? []) : [];
    if (words.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword))
      for (const one of node.declarationList?.declarations ?? [node]) found.add("export " + one.name?.text);
    if (ts.isExportSpecifier(node)) found.add("export " + node.name.text);
    if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.name)) members.add(node.name.text);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return [file.parseDiagnostics.length, [...found].sort(), [...members].sort()];
})));
"""


@pytest.mark.slow
def test_scripts_import_export_and_use_what_they_did() -> None:
    names = ("page", "page/words", "sandbox", "shared", "worker")
    files = {path.relative_to(paths.WEB).as_posix(): path for name in names for path in (paths.WEB / name).glob("*.js")}
    made = bare(files)
    modules = pins.node_modules(paths.WEB)
    program = TOLD.replace("TYPESCRIPT", (modules / "typescript/lib/typescript.js").as_uri())
    command = [str(pins.node()[0]), "--input-type=module", "-e", program]
    texts = [path.read_text(encoding="utf-8") for path in (*files.values(), *made.values())]
    done = subprocess.run(command, input=json.dumps(texts), text=True, capture_output=True, check=True)
    told = json.loads(done.stdout)
    before, after = told[: len(files)], told[len(files) :]
    for name, one, other in zip(files, before, after, strict=True):
        assert one == other, name
        assert not one[0], name
    assert sum(map(len, texts[len(files) :])) < 0.6 * sum(map(len, texts[: len(files)]))


def test_style_without_comments_and_indentation() -> None:
    style = "/* one */\na {\n  b: c; /* stays */\n}\n\n  /* two\n     lines */\n@media d {\n  e { f: g; }\n}\n"
    assert bare_style(style) == "a {\nb: c; /* stays */\n}\n@media d {\ne { f: g; }\n}\n"


@pytest.mark.slow
def test_script_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("let = ;")
    with pytest.raises(Stop, match="could not be made short"):
        bare({"page/a.js": tmp_path / "a.js"})


@pytest.mark.slow
def test_scripts_of_one_name_are_kept_beside_each_other(tmp_path: Path) -> None:
    """The site has several, and another checkout others yet: what one build makes, it does not take from another."""
    files = {f"{folder}/same.js": tmp_path / folder / "same.js" for folder in ("worker", "sandbox")}
    for name, path in files.items():
        path.parent.mkdir()
        path.write_text(f'export const of = "{tmp_path.name} {name}";\n')
    before = bare(files)
    files["sandbox/same.js"].write_text("export const of = 1;\n")
    after = bare(files)
    assert before["worker/same.js"] == after["worker/same.js"]
    assert [path.read_text().strip() for path in (before["sandbox/same.js"], after["sandbox/same.js"])] == [
        f'export const of="{tmp_path.name} sandbox/same.js";',
        "export const of=1;",
    ]
