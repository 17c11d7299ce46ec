"""Feed odd input to the project: python3 build.py fuzz [headers|...|all] [--count N] [--seed FIRST]

`--seed S --count 1` does one case again. Ends with code 1 where there are faults.
"""

from __future__ import annotations

import argparse
import sys

from fuzz import KINDS, report


def main() -> None:
    parser = argparse.ArgumentParser(prog="build.py fuzz", description=__doc__)
    parser.add_argument("kind", nargs="?", default="all", choices=[*KINDS, "all"])
    parser.add_argument("--count", type=int, default=1000, help="cases of each kind")
    parser.add_argument("--seed", type=int, default=0, help="number of the first case")
    args = parser.parse_args()
    kinds = KINDS if args.kind == "all" else (args.kind,)
    faults = sum([report(kind, range(args.seed, args.seed + args.count)) for kind in kinds])
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
