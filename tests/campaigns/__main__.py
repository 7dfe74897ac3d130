"""``python3 dev.py campaign NAME``: run one long test; without a name, list them."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

CAMPAIGNS = {
    "bridges": "bridges",
    "engines": "engines",
    "dose-field": "dose_field",
    "frames": "frames",
    "kills": "kills",
    "link": "link",
    "model": "model",
    "pairs": "pairs",
    "plans": "plans",
    "robot": "robot",
    "vials": "vials",
    "visits": "visits",
}


def main(arguments: list[str]) -> int:
    """Run the campaign named first, with the rest of the arguments."""
    if not arguments or arguments[0] not in CAMPAIGNS:
        print("Campaigns:")
        for name, module in CAMPAIGNS.items():
            first = Path(__file__).with_name(f"{module}.py").read_text(encoding="utf-8").splitlines()[0]
            print(f"  {name:12} " + first.strip('"'))
        return 2
    return int(import_module(f"tests.campaigns.{CAMPAIGNS[arguments[0]]}").main(arguments[1:]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
