"""The table of cases: what `cases/` has of every op, and the largest error of each.

    python3 tests/ops/table.py [FILTER ...]           op x kind x compiler x variant with the largest error; exit code 1
                                                      if one is over its bound, or a file, an op or a tensor type is
                                                      missing
    python3 tests/ops/table.py --perf [FILTER ...]    GB/s and GFLOP/s of the large cases

FILTER is a part of a case's id, such as `rms_norm` or `linear-Q4_1`. `test_table.py` runs the same cases under pytest.
"""

import argparse
import asyncio
import importlib
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]
    from web.build.environment import in_venv

    in_venv("test")

from ops.harness import VARIANTS, Case, Mutation, device
from ops.missing import missing_cases, missing_files, names

from py_wgml.errors import WgmlError
from py_wgml.generate.bench import read_bandwidth

CASES = names(Path(__file__).parent / "cases", ".py")
FILES = {name: importlib.import_module(f"ops.cases.{name}") for name in sorted(CASES)}
TABLE: list[Case] = [case for file in FILES.values() for case in file.TABLE]
LARGE: list[Case] = [case for file in FILES.values() for case in getattr(file, "LARGE", [])]
MUTATIONS: list[Mutation] = [mutation for file in FILES.values() for mutation in getattr(file, "MUTATIONS", [])]


def print_errors(table: list[Case]) -> bool:
    """The largest error of each op and kind in each variant; whether all are within their bounds."""
    rows: dict[tuple[str, str], list[Case]] = {}
    for case in table:
        rows.setdefault((case.name, case.kind), []).append(case)
    print(f"{'op':16} {'kind':12} {'cases':>5} {'bound':>8}" + "".join(f" {v:>15}" for v in VARIANTS))
    good = True
    for (op, kind), group in rows.items():
        line = f"{op:16} {kind:12} {len(group):5} {max(c.bound for c in group):8.0e}"
        for variant in VARIANTS:
            worst = 0.0
            verdict = ""
            for case in group:
                try:
                    error = case.error(device(variant))
                except (AssertionError, WgmlError) as failure:
                    print(f"{case.id} on {variant}: {failure}", file=sys.stderr)
                    error = float("inf")
                worst = max(worst, error)
                if not error <= case.bound:
                    verdict, good = "!", False
            line += f" {worst:14.1e}{verdict or ' '}"
        print(line, flush=True)
    return good


def print_speed(table: list[Case], milliseconds: float = 200) -> None:
    """How fast each case runs in each variant: GB/s of what it must move, and GFLOP/s; what a plain read reaches."""
    bandwidths = [asyncio.run(read_bandwidth(device(variant, timestamps=True))) * 1e-9 for variant in VARIANTS]
    print(f"{'a plain read':76}" + "".join(f" {'':8} {bandwidth:6.1f} {'':7}" for bandwidth in bandwidths))
    print(f"{'case':76}" + "".join(f" {v:>23}" for v in VARIANTS) + "  (ms, GB/s, GFLOP/s)")
    for case in table:
        line = f"{case.id:76}"
        for variant in VARIANTS:
            gpu = device(variant, timestamps=True)
            bench = case.bench(gpu)
            job = case.job(bench)
            program = gpu.program()
            job.record(program)
            asyncio.run(gpu.time(program, 1))  # the first run may compile
            seconds, began = asyncio.run(gpu.time(program, 1)), time.perf_counter()
            while True:  # until the GPU's clock has risen
                times = max(1, min(1000, int(milliseconds * 1e-3 / max(seconds, 1e-6))))
                seconds = asyncio.run(gpu.time(program, times))
                if time.perf_counter() - began > 2e-3 * milliseconds:
                    break
            nbytes = sum(buffer.nbytes for buffer in bench.buffers) if job.nbytes is None else job.nbytes
            bench.close()
            line += f" {seconds * 1e3:8.3f} {nbytes / seconds * 1e-9:6.1f} {job.flops / seconds * 1e-9:7.1f}"
        print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--perf", action="store_true", help="time the large cases instead")
    parser.add_argument("filter", nargs="*", help="parts of the ids of the cases wanted")
    arguments = parser.parse_args()
    table = LARGE if arguments.perf else TABLE
    wanted = [case for case in table if not arguments.filter or any(part in case.id for part in arguments.filter)]
    if not wanted:
        raise SystemExit("no case has such an id")
    if arguments.perf:
        print_speed(wanted)
        return
    good = print_errors(wanted)
    if lacking := [*missing_files(), *(f"not in the table: {name}" for name in missing_cases(TABLE))]:
        print("\n".join(lacking), file=sys.stderr)
    if lacking or not good:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
