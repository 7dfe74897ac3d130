from typing import Any

KINDS: dict[str, Any] = {}
