"""What a rule says about a therapy that can be described but may be impossible or unwise.

Law: a finding is data. It names its rule in ``docs/clinical-rules.md``, its severity, what it concerns,
and the numbers; the sentence for people is made elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class Severity(StrEnum):
    """How much a finding asks of the user, strongest first."""

    BLOCK = "block"
    CONFIRM = "confirm"
    TASK = "task"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that fired about one thing.

    ``reason`` picks the sentence where one rule has several (``"above-limit"``, ``"window"``, …).
    ``values`` holds plain text or whole numbers, with the unit at the end of each name.
    """

    rule: str
    severity: Severity
    reason: str
    values: Mapping[str, str | int] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))


def blocks(findings: Iterable[Finding]) -> list[Finding]:
    """Those that must be put right before going on."""
    return [finding for finding in findings if finding.severity is Severity.BLOCK]
