"""Models from anywhere for Python in anybody's page: from addresses, from the hub, out of hand; and again without a
network."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gguf
import pytest
from page.model_server import ModelServer, Reply
from page.reading import downloads

if TYPE_CHECKING:
    from notebook.conftest import Notebook
    from playwright.sync_api import Route

pytestmark = [pytest.mark.slow, pytest.mark.browsers]

HUB = "https://huggingface.co"
PARTS = ["sub/tiny-00001-of-00002.gguf", "sub/tiny-00002-of-00002.gguf"]

BEGIN = """
import hashlib, io, json, js
from py_wgml import Model, WgmlError
from py_wgml.gguf_model.browser import find_source
from py_wgml.gpu import open_device

async def has(given):
    'What a header says.'
    source = await find_source(given)
    header = await source.header()
    source.close()
    return len(header.tensors), sum(tensor.nbytes for tensor in header.tensors.values())

async def reads(given):
    'The sums of its files.'
    source = await find_source(given)
    found = []
    for part in getattr(source, "_parts", [source]):
        sum = hashlib.sha256()
        while chunk := await part._file.next():
            sum.update(chunk.to_bytes())
        found.append(sum.hexdigest())
    source.close()
    return json.dumps(found)

async def says(given):
    'What a model says, once it is loaded.'
    global device
    if "device" not in globals():
        device = await open_device()
    seen = []
    try:
        model = await Model.load(given, lambda *progress: seen.append(progress), device, context=64)
    except WgmlError as error:
        return "error: " + str(error)
    assert seen[-1] == ("kernels", 1, 1)
    text = "".join([piece async for piece in model.generate([{"role": "user", "content": "Hi"}], max_tokens=12)])
    model.destroy()
    return text
"""


@pytest.fixture(scope="module")
def parts(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The same model, split by gguf's own writer."""
    reader = gguf.GGUFReader(tiny_model)
    path = tmp_path_factory.mktemp("parts") / "tiny.gguf"
    writer = gguf.GGUFWriter(path, "llama", split_max_tensors=(len(reader.tensors) + 1) // 2)
    for field in reader.fields.values():
        if not field.name.startswith(("GGUF.", "general.architecture")):
            writer.add_key_value(field.name, field.contents(), field.types[0], *field.types[1:2])
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return sorted(path.parent.iterdir())


@pytest.fixture(scope="module")
def server(tiny_model: Path) -> Iterator[ModelServer]:
    made = ModelServer()
    made.put(tiny_model.read_bytes())
    yield made
    made.close()


def hub(notebook: Notebook, parts: list[Path]) -> list[str]:
    """Answers in the hub's place; the addresses that were asked."""
    files = dict(zip(PARTS, (path.read_bytes() for path in parts), strict=True))
    asked: list[str] = []

    def answer(route: Route) -> None:
        url = route.request.url
        asked.append(url)
        headers = {"Access-Control-Allow-Origin": "*"}
        if url.startswith(f"{HUB}/api/models/owner/split/tree/main/"):
            lfs = [{"oid": hashlib.sha256(data).hexdigest(), "size": len(data)} for data in files.values()]
            body: Any = json.dumps([{"path": n, "size": 1, "lfs": x} for n, x in zip(files, lfs, strict=True)])
            route.fulfill(body=body, headers=headers)
        elif body := files.get(url.removeprefix(f"{HUB}/owner/split/resolve/main/")):
            route.fulfill(body=body, headers=headers)
        else:
            code = "GatedRepo" if "gated" in url else "RepoNotFound"
            headers |= {"X-Error-Code": code, "Access-Control-Expose-Headers": "*"}
            route.fulfill(status=403 if "gated" in url else 404, headers=headers)

    notebook.page.context.route(f"{HUB}/**", answer)
    return asked


def test_models_from_anywhere(
    notebook: Notebook, open_notebook: Callable[[], Notebook], server: ModelServer, parts: list[Path]
) -> None:
    notebook.run(BEGIN)
    asked = hub(notebook, parts)
    server.requests.clear()
    address, name = f"{server.url}model.gguf", f"owner/split/{PARTS[1]}"
    text = notebook.run(f"await says({address!r})")
    assert not text.startswith("error") and len(text) > 4
    assert len(downloads(server)) == 1
    sums = [hashlib.sha256(path.read_bytes()).hexdigest() for path in parts]
    for named in (name, "owner/split:Tiny"):
        assert json.loads(notebook.run(f"await reads({named!r})")) == sums
    others = [
        f"(array := await (await js.fetch({address!r})).bytes())",
        "(data := array.to_bytes())",
        "io.BytesIO(data)",
        "js.File.new([array], 'own.gguf')",
        "open('/tmp/own.gguf', 'wb').write(data) and '/tmp/own.gguf'",
        f"[{HUB!r} + '/owner/split/resolve/main/{PARTS[0]}', 'hf:{name}']",
    ]
    for other in others:
        assert notebook.run(f"await has({other}) == await has({address!r})"), other
    assert [url for url in asked if "/resolve/" in url] == [f"{HUB}/owner/split/resolve/main/{path}" for path in PARTS]

    again = open_notebook()
    again.run(BEGIN)
    server.requests.clear()
    assert json.loads(again.run(f"await reads({address!r})")) == [server.sha256]
    assert downloads(server) == []
    again.page.context.unroute(f"{HUB}/**")
    again.page.context.set_offline(True)
    for model, want in [(address, [server.sha256]), (name, sums), ("owner/split", sums), ("hf:owner/split:tiny", sums)]:
        assert json.loads(again.run(f"await reads({model!r})")) == want
    told = again.run("await says('https://models.example/x/y.gguf')")
    assert told == "error: models.example could not be asked: there is no connection to its server."
    again.page.context.set_offline(False)


def test_what_cannot_be_had_is_told_in_a_line(notebook: Notebook, server: ModelServer, parts: list[Path]) -> None:
    notebook.run(BEGIN)
    hub(notebook, parts)
    address = f"{server.url}model.gguf?other"
    for status, says in [(404, "The server has no http"), (403, "the server answered 403"), (401, "signed in")]:
        server.status = status
        assert says in notebook.run(f"await says({address!r})"), status
    server.status = 200
    server.instead = Reply(b"<html>sign in</html>", headers={"Content-Type": "text/html"})
    assert "is a web page, not a model" in notebook.run(f"await says({address!r})")
    server.instead = None
    whole, server.body = server.body, server.body[:-100]
    assert "GGUF file truncated: tensor" in notebook.run(f"await says({address!r})")
    server.body = whole
    server.ranges, server.tells_size = False, False
    assert json.loads(notebook.run(f"await reads({address!r})")) == [server.sha256]
    server.ranges = server.tells_size = True
    silent = notebook.page.url.replace("localhost", "127.0.0.1")
    for given, says in [
        (silent, "its server keeps its files from pages of other sites (CORS)"),
        ("owner/gated/x.gguf", "is for those who have agreed to its terms"),
        ("owner/none/x.gguf", "Hugging Face has no owner/none for everyone"),
        ("owner/split/x.gguf", "owner/split has no x.gguf; its models are: sub/tiny-00001"),
        ("owner/split:Q9", "owner/split has no file of the kind Q9; its models are: sub/tiny-00001"),
        ("nowhere.gguf", "can't open nowhere.gguf: "),
        (b"GGUF", "bad GGUF file"),
    ]:
        assert says in notebook.run(f"await says({given!r})"), given
    assert "error: not a GGUF file" in notebook.run("await says(js.File.new(['abcd'], 'a.txt'))")
