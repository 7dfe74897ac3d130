"""``python3 dev.py bench``: measurements beside their rivals, in the same run."""

from __future__ import annotations

import sys

from benchmarks import first_paint

if __name__ == "__main__":
    sys.exit(first_paint.main(sys.argv[1:]))
