"""Whether an event loop goes on while a model answers, and what that costs.

    python3 tests/generate/ticks.py [MODEL] [--chats N]

A hundred chats at once beside a ticker of 50 ms: how many of its ticks it keeps, and tokens a second of all chats and
of one alone. MODEL: a path, an address or a name; else a tiny one with random weights.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]
    from web.build.environment import in_venv

    in_venv("test")

from tiny import write_tiny_llama

from py_wgml import Model

TICK = 0.05  # seconds
TOKENS = 32  # of an answer


async def measure(path: str, chats: int) -> None:
    """Prints what was found."""
    async with await Model.load(path, speculate=False) as model:

        async def answer(number: int) -> int:
            chat = model.chat()
            async for _ in chat.send(f"{number} {number * number}", max_tokens=TOKENS):
                pass
            assert chat.last is not None
            return chat.last.usage.completion_tokens

        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(TICK)
                ticks += 1

        await answer(0)
        await asyncio.sleep(2)  # what is recorded ahead
        began = time.perf_counter()
        alone = sum([await answer(number) for number in range(4)]) / (time.perf_counter() - began)
        ticking = asyncio.create_task(tick())
        began = time.perf_counter()
        count = sum(await asyncio.gather(*map(answer, range(chats))))
        seconds = time.perf_counter() - began
        ticking.cancel()
    print(f"{ticks / (seconds / TICK):.0%} of the ticks; {count / seconds:.1f} tokens/s, of one alone {alone:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?")
    parser.add_argument("--chats", type=int, default=100)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "tiny.gguf")
        write_tiny_llama(path)
        asyncio.run(measure(args.model or str(path), args.chats))


if __name__ == "__main__":
    main()
