"""``python3 dev.py bench``: measurements beside their rivals, in the same run; ``bench NAME`` for one of them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

BENCHMARKS = {
    "first-paint": "first_paint",
    "dialogue": "dialogue",
    "ten-years": "ten_years",
    "curve": "curve",
    "dragging": "dragging",
}


def main(arguments: Sequence[str]) -> int:
    """Run the one that is named first with the rest of the arguments, or all. Return 1 if one of them failed."""
    chosen, rest = (list(arguments[:1]), list(arguments[1:])) if arguments else (list(BENCHMARKS), [])
    if chosen[0] not in BENCHMARKS:
        print(f"There is no benchmark {chosen[0]!r}, but: {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    failed = 0
    for name in chosen:
        print(f"\n{name}\n{'-' * len(name)}", flush=True)
        failed |= import_module(f"benchmarks.{BENCHMARKS[name]}").main(rest)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
