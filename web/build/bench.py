"""How fast the engine is without a browser; figures told, kept and compared."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .errors import USAGE, Stop


async def bench_natively(
    models: Sequence[Path], cache_bits: Any, activation_bits: Any, options: dict[str, Any], texts: int
) -> dict[str, Any]:
    """What bench.html measures of the engine, on the native WebGPU that the package finds; of a model that embeds, how
    many texts a second it takes."""
    return {"models": [await _natively(model, cache_bits, activation_bits, options, texts) for model in models]}


async def _natively(
    model: Path, cache_bits: Any, activation_bits: Any, options: dict[str, Any], texts: int
) -> dict[str, Any]:
    import py_wgml
    from py_wgml.generate.bench import measure, measure_embedding, measure_speculation, spread
    from py_wgml.generate.bench_forms import measure_forms
    from py_wgml.gpu import open_device

    device = await open_device()
    seconds = []
    for left in reversed(range(options["repetitions"])):
        began = time.perf_counter()
        loaded = await py_wgml.Model.load(model, device=device, cache_bits=cache_bits, activation_bits=activation_bits)
        seconds.append(time.perf_counter() - began)
        if left:
            loaded.destroy()
    if loaded.kind == "chat":
        figures = await measure(loaded.runner, **options)
        sizes = options["generate_tokens"], options["repetitions"]
        figures["speculation"] = await measure_speculation(loaded.runner, loaded.generate, *sizes)
        figures["forms"] = await measure_forms(loaded.runner, loaded.generate, *sizes)
    else:
        figures = await measure_embedding(loaded.embedder, options["repetitions"], texts)
    told = {"name": loaded.name, "parameters": loaded.parameters}
    loaded.destroy()
    device.close()
    return {"model": told, "adapter": asdict(device.info), "load_seconds": spread(seconds), "bench": figures}


def kept(path: Path) -> Any:
    """A result that was kept with --json. Raises Stop for a file that is none."""
    try:
        result = json.loads(path.read_bytes())
        if not result["models"]:
            raise ValueError
        # What will be asked of it.
        compared(result, result)
        table(result["models"])
    except OSError as error:
        raise Stop(f"{path}: {error.strerror}", USAGE) from None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise Stop(f"{path}: no result that build.py bench --json has kept", USAGE) from None
    return result


def adapter_of(model: dict[str, Any]) -> str:
    """What a model of a result was measured on."""
    about = model["adapter"]
    names = (about.get(key) for key in ("vendor", "architecture", "device", "description"))
    return " ".join(name for name in names if name) or "a GPU without a name"


def compared(result: dict[str, Any], before: dict[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    """Each figure as a share of what it was: models for `table`, and what there is to say of the comparison."""
    earlier = {model["model"]["name"]: model for model in before["models"]}
    models, notes = [], []
    for model in result["models"]:
        name = model["model"]["name"]
        old = earlier.get(name)
        if old is None:
            notes.append(f"{name}: not in the kept result, which has {', '.join(earlier) or 'no model'}")
            continue
        now, then = adapter_of(model), adapter_of(old)
        if now != then:
            notes.append(f"{name}: on another adapter, {now}; before {then}")
        was = old["bench"]["summary"]
        shares = {key: value / was[key] for key, value in model["bench"]["summary"].items() if was.get(key)}
        models.append({"model": model["model"], "bench": {"summary": shares}})
    return models, notes


def table(models: Sequence[dict[str, Any]], heading: str = "model") -> str:
    """The most telling figures in Markdown, a model a row; what is not known of one is "-"."""
    columns = list(dict.fromkeys(key for model in models for key in model["bench"]["summary"]))
    rows = [
        [model["model"]["name"], *(shown(model["bench"]["summary"].get(key)) for key in columns)] for model in models
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in [[heading, *columns], ["---"] * (1 + len(columns)), *rows])


def shown(value: float | None) -> str:
    """A number with about three digits."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested objects and lists, each with its dotted name."""
    if isinstance(value, (dict, list)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from flat(item, f"{name}.{key}" if name else str(key))
    else:
        yield name, f"{value:.4g}" if isinstance(value, float) else value
