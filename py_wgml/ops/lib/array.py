"""The type of what NumPy references take and give."""

from typing import Any

import numpy.typing as npt

Array = npt.NDArray[Any]
"""float32, or float64 for an exact reference; ids are integers."""
