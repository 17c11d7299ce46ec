"""py_wgml in marimo: on this machine by `marimo run`, in the browser by `marimo export html-wasm`.

In the browser the package's wheel lies beside the page, and a model as model.gguf; on this machine a model lies beside
this notebook, and py-wgml[native,notebook] is installed.
"""

import marimo

app = marimo.App()


@app.cell
async def _():
    import sys

    import marimo as mo

    if sys.platform == "emscripten":
        import micropip

        wheel = f"{mo.notebook_location()}/py_wgml-0.1.0-py3-none-any.whl"
        await micropip.install([wheel, "anywidget", "markdown-it-py"])
    return (mo,)


@app.cell
async def _(mo):
    import numpy

    from py_wgml.gpu import open_device
    from py_wgml.ops import View, gemm

    device = await open_device()
    a, b = (device.upload(numpy.random.rand(64, 64).astype("float32")) for _ in "ab")
    product, program = device.buffer(4 * 64 * 64), device.program()
    gemm(program, View.of(a, 64, 64), View.of(b, 64, 64), View.of(product, 64, 64))
    await device.compiled()
    program.run()
    left, right, made = [await device.read_array(buffer, (64, 64)) for buffer in (a, b, product)]
    numpy.testing.assert_allclose(left @ right, made, rtol=1e-4)
    mo.md(f"The product of two matrices: as NumPy has it, on {device.info.description or device.info.vendor}")
    return


@app.cell
async def _(mo):
    from py_wgml import Model

    model = await Model.load(f"{mo.notebook_location()}/model.gguf")
    chat = model.chat()
    await chat.show("What is the capital of France?", max_tokens=48)
    return (model,)


@app.cell
def _(model):
    model.chat().widget(max_tokens=48)
    return


if __name__ == "__main__":
    app.run()
