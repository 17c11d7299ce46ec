"""How long the page takes to read the header and make the tokenizer of a large vocabulary, and how large its heap gets.

    python3 tests/tokenizer/load.py [TOKENS]

makes two files: a vocabulary with scores, as Gemma 3 has it, and one with twice as many merges, as Gemma 4. It is that
of the GGUF file PY_WGML_GEMMA, where that is set, else TOKENS random words (default 262,144). Each file is read three
times in headless Chromium, by the built site's own Python, each time from its start; the least seconds and the largest
heap are printed.
"""

import itertools
import os
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]
    from web.build.environment import in_venv

    in_venv("test")

import tiny
from gguf import GGUFWriter, TokenType

from py_wgml.gguf_model import read_header
from web.build import browser, models, serving
from web.build.brand import Brand
from web.build.site import build

REPEATS = 3
PIECE = 4 << 20  # bytes of the file that come at once
# What web/worker/worker.js does up to the engine, then what py_wgml does with a header.
PAGE = """async ([site, name, piece]) => {
  const bytesOf = async (path) => new Uint8Array(await (await fetch(site + path)).arrayBuffer());
  const { wheels } = await (await fetch(`${site}site.json`)).json();
  const { loadPyodide } = await import(`${site}pyodide/pyodide.mjs`);
  const pyodide = await loadPyodide({ indexURL: `${site}pyodide/`, packages: ["micropip"] });
  const installed = wheels.map((path) => `/tmp/${path.split("/").at(-1)}`);
  for (const [i, path] of wheels.entries()) pyodide.FS.writeFile(installed[i], await bytesOf(path));
  const install = pyodide.pyimport("micropip").install;
  await install.callKwargs(pyodide.toPy(installed.map((path) => `emfs:${path}`)), { deps: false });
  const file = await bytesOf(name);
  pyodide.globals.set("file", file);
  pyodide.globals.set("piece", piece);
  const seconds = pyodide.runPython(`
import time
from py_wgml.gguf_model.header import HeaderParser
from py_wgml.tokenizer import from_metadata

began = time.perf_counter()
parser, header, at = HeaderParser(file.length), None, 0
while header is None:
    header = parser.feed(file.subarray(at, at + piece).to_bytes())
    at += piece
read = time.perf_counter()
tokenizer = from_metadata(header.metadata)
made = time.perf_counter()
assert tokenizer.encode("hello world")
[read - began, made - read]
`).toJs();
  return { seconds: [...seconds], heap: pyodide._module.HEAPU8.byteLength };
}"""


def words(count: int) -> list[str]:
    """Tokens, each of two earlier ones but for the characters that are first."""
    choose = random.Random(1)
    found = dict.fromkeys("▁abcdefghijklmnopqrstuvwxyzäöüéàñ的一是不了人我在有他这为之大来以个中上们")
    known = list(found)
    while len(known) < count:
        word = known[int(len(known) * choose.random() ** 3)] + known[int(min(len(known), 4000) * choose.random() ** 3)]
        if len(word) < 14 and word not in found and "▁" not in word[1:]:
            found[word] = None
            known.append(word)
    return known


def merges_of(tokens: list[str], count: int) -> list[str]:
    """`count` ways to make a token of two others, some more than once."""
    known = set(tokens)
    cuts = ((token[:i], token[i:]) for token in tokens for i in range(1, len(token)))
    found = [f"{a} {b}" for a, b in cuts if a in known and b in known]
    return list(itertools.islice(itertools.cycle(found), count))


def write(path: Path, tokens: list[str], merges: list[str]) -> None:
    """A file with nothing but a vocabulary: with merges of Gemma 4's kind, without of Gemma 3's."""
    writer = GGUFWriter(path, "llama")
    writer.add_tokenizer_model("gemma4" if merges else "llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([-float(i) for i in range(len(tokens))])
    writer.add_token_types([TokenType.NORMAL] * len(tokens))
    if merges:
        writer.add_token_merges(merges)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()


def main(count: int) -> None:
    real = os.environ.get("PY_WGML_GEMMA")
    tokens = read_header(real).metadata["tokenizer.ggml.tokens"] if real else words(count)
    with tempfile.TemporaryDirectory() as folder:
        dist, model = Path(folder) / "dist", Path(folder) / "tiny.gguf"
        tiny.write_tiny_llama(model)
        build([models.given_model(str(model))], Brand(), dist)
        with serving.serving(dist) as url, browser.chromium() as chromium:
            for kind, merges in (("scores", []), ("merges", merges_of(tokens, 514_906 * count // 262_144))):
                write(dist / "vocabulary.gguf", tokens, merges)
                runs: list[Any] = []
                for _ in range(REPEATS):
                    page = chromium.browser().new_page()
                    page.goto(f"{url}site.json")
                    runs.append(page.evaluate(PAGE, [url, "vocabulary.gguf", PIECE]))
                    page.close()
                header, tokenizer = min((run["seconds"] for run in runs), key=sum)
                heap = max(run["heap"] for run in runs) / 1e6
                print(
                    f"{len(tokens)} tokens, {kind} ({len(merges) or len(tokens)}): header {header:.2f} s, "
                    f"tokenizer {tokenizer:.2f} s, heap {heap:.0f} MB",
                    flush=True,
                )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 262_144)
