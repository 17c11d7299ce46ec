"""`py_wgml bench`: how fast a model is on this machine's GPU."""

import argparse
import asyncio
import json

from .rooms import default_model, room
from .talk import local_path


def bench(args: argparse.Namespace) -> None:
    """Measure; a table goes to standard output, or all figures."""
    rooms = room("bench")
    names = ("prompt_tokens", "generate_tokens", "repetitions", "contexts")
    options = {name: getattr(args, name) for name in names} | {"prompt_repetitions": 10}
    models = [local_path(name) for name in args.model or [default_model()]]
    result = asyncio.run(rooms.bench_natively(models, 16, "auto", options, texts=256))
    if args.json:
        print(json.dumps(result, indent=1))
    else:
        print(f"{rooms.adapter_of(result['models'][0])}\n\n{rooms.table(result['models'])}")
