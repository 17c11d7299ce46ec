import subprocess
import sys
from typing import Any

import numpy as np
from gguf import quants

from py_wgml.gguf_model.codebooks import codebook
from py_wgml.gguf_model.weights import TYPES


def test_runs_are_those_of_gguf() -> None:
    for type in TYPES:
        quant: Any = getattr(quants, type.name, None)
        table = codebook(type)
        if getattr(quant, "grid_hex", None) is None:
            assert table is None
        else:
            assert table is not None
            quant.init_grid()
            if type.name.startswith("IQ1"):
                words = np.frombuffer(table, np.uint8).reshape(-1, 4)
                runs = np.concatenate((words & 15, words >> 4), axis=-1).astype(np.int8) - 1
            else:
                runs = np.frombuffer(table, np.int8)
            assert (runs.reshape(quant.grid.shape) == quant.grid).all()
            assert len(table) <= 8 << 10


def test_the_gguf_package_is_not_loaded_for_them() -> None:
    """Its readers and writers, YAML and HTTP have no place in a web page."""
    code = """
import sys
from py_wgml.gguf_model.codebooks import codebook
from py_wgml.gguf_model.ggml import GGMLQuantizationType
assert len(codebook(GGMLQuantizationType.IQ2_XXS)) == 2048
assert "gguf" not in sys.modules and "yaml" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
