"""Odd input by number: what is made of it must be an answer or a refusal, soon and in little memory.

A kind of input is a module of this package, named in `KINDS`:

    case(seed: int)           an input, always the same for the same number
    check(case) -> str        feeds it to what is tested, and says in a word what came of that ("loaded", "refused")
    session()                 if there is one: a context manager, entered once for many cases; `check(case, session)` is
                              given what it yields (a page in a browser, an event loop)

`check` raises `Fault` for what must not happen; any other exception that comes out of it is one too. So is a case that
takes more than 5 s of processor time, makes its process larger by more than 1 GB, or ends it. Cases run in a process of
their own, one after the other, and in a new one after each fault.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import multiprocessing
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

KINDS = ("headers", "templates", "requests", "answers")
SECONDS = 5.0
"""Processor time that one case may take."""
PATIENCE = 12 * SECONDS
"""Time by the clock that one case may take: for those that wait, and for machines that are busy."""
BYTES = 1 << 30
"""What a case may add to the memory of its process."""

STATUS = Path("/proc/self/status")
POSIX = os.name == "posix"  # elsewhere PATIENCE is the only bound
if POSIX:
    import resource


class Fault(Exception):
    """What must not happen, in one line."""


@dataclass(frozen=True)
class Result:
    """What came of a case: a word of its kind's, or a line about a fault."""

    seed: int
    word: str
    fault: str | None = None


def run(module: str, seeds: Sequence[int]) -> Iterator[Result]:
    """Check the cases with these numbers, in order. module: a kind's, by its full name."""
    context = multiprocessing.get_context("spawn")
    done = 0
    while done < len(seeds):
        ours, theirs = context.Pipe(duplex=False)
        with tempfile.NamedTemporaryFile() as last_words:
            worker = context.Process(target=_work, args=(module, seeds[done:], theirs, last_words.name), daemon=True)
            worker.start()
            theirs.close()
            try:
                ours.recv()  # it is ready
                for seed in seeds[done:]:
                    result = _result(ours, worker, seed, Path(last_words.name))
                    done += 1
                    yield result
                    if result.fault:
                        break
            finally:
                ours.close()
                worker.join(SECONDS)  # it closes its session
                worker.kill()
                worker.join()


def _result(ours: Connection, worker: Any, seed: int, last_words: Path) -> Result:
    if not ours.poll(PATIENCE):
        return Result(seed, "fault", f"no answer after {PATIENCE:.0f} s")
    try:
        result: Result = ours.recv()
        return result
    except EOFError:
        worker.join()
    where = next((line.strip() for line in last_words.read_text().splitlines() if "File " in line), "")
    if POSIX and worker.exitcode == -signal.SIGPROF:
        return Result(seed, "fault", f"more than {SECONDS:.0f} s: {where}")
    return Result(seed, "fault", f"its process ended with code {worker.exitcode}: {where}")


def _work(module: str, seeds: Sequence[int], pipe: Connection, last_words: str) -> None:
    """The process in which cases run."""
    kind = importlib.import_module(module)
    alone = not hasattr(kind, "session")
    with open(last_words, "w") as file, contextlib.ExitStack() as stack:
        faulthandler.enable(file)
        session = () if alone else (stack.enter_context(kind.session()),)
        if POSIX:
            # This signal ends the process, whatever it is at, once it has said where it was.
            faulthandler.register(signal.SIGPROF, file, all_threads=False, chain=True)
        if POSIX and alone:  # whoever is started within a session needs room of its own
            # What asks for much more gets a MemoryError, before it takes the machine's memory.
            resource.setrlimit(resource.RLIMIT_AS, (_address_space() + 4 * BYTES, resource.RLIM_INFINITY))
        before = _peak_memory()
        pipe.send("ready")
        for seed in seeds:
            fault, word = None, "fault"
            try:
                if POSIX:
                    signal.setitimer(signal.ITIMER_PROF, SECONDS)
                word = kind.check(kind.case(seed), *session)
            except Fault as error:
                fault = str(error)
            except Exception as error:
                place = traceback.extract_tb(error.__traceback__)[-1]
                what = " ".join(f"{type(error).__name__}: {error}".split())[:300]
                fault = f"{what} ({Path(place.filename).name}:{place.lineno})"
            finally:
                if POSIX:
                    signal.setitimer(signal.ITIMER_PROF, 0)
            if fault is None and _peak_memory() - before > BYTES:
                fault = f"{(_peak_memory() - before) / 1e9:.1f} GB of memory"
            pipe.send(Result(seed, word if fault is None else "fault", fault))
            if fault:
                return


def _peak_memory() -> int:
    """The most bytes of memory that this process has had."""
    if not POSIX:
        return 0
    if STATUS.exists():  # elsewhere than in Linux there is only a number which there a process inherits from its parent
        return int(STATUS.read_text().partition("VmHWM:")[2].split()[0]) << 10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak << 10


def _address_space() -> int:
    """The bytes of address space that this process has."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return 1 << 40


def report(kind: str, seeds: Sequence[int]) -> int:
    """Check these cases and print what is found as it is found, then how many there were of what, and how fast.

    Returns the number of faults.
    """
    began = time.perf_counter()
    words: dict[str, int] = {}
    for result in run(f"fuzz.{kind}", seeds):
        words[result.word] = words.get(result.word, 0) + 1
        if result.fault:
            print(f"{kind} {result.seed}: {result.fault}", flush=True)
    seconds = time.perf_counter() - began
    found = ", ".join(f"{count} {word}" for word, count in sorted(words.items()))
    print(f"{kind}: {len(seeds)} in {seconds:.0f} s, {len(seeds) / seconds:.1f} a second: {found}", flush=True)
    return words.get("fault", 0)
