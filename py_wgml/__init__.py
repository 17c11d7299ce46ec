"""py_wgml: GGUF language models on WebGPU, from Python (CPython and Pyodide)."""
