"""What a finding asks before a step is written: nothing forbidden, and a typed reason for everything that asks.

Law: one finding, one reason; a reason given for one is none for another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from app.models.errors import AppError
from app.models.findings import Finding, Severity, blocks

Reasons = Mapping[tuple[str, str], str]
"""The reason typed for each (rule, reason) of a finding that asks to confirm."""
NO_REASONS: Reasons = MappingProxyType({})


class BlockedError(AppError):
    """A rule forbids this step as it stands; ``rules`` names them."""


class ReasonMissingError(AppError):
    """A rule asks for a reason and none was given; ``rules`` names them."""


def require_reasons(findings: Sequence[Finding], reasons: Reasons) -> list[Finding]:
    """Make sure that nothing is forbidden and everything asked is answered; returns the findings that asked.

    Raises: BlockedError, ReasonMissingError.
    """
    forbidden = blocks(findings)
    if forbidden:
        raise BlockedError(rules=",".join(finding.rule for finding in forbidden))
    asking = [finding for finding in findings if finding.severity is Severity.CONFIRM]
    missing = [finding.rule for finding in asking if not reasons.get((finding.rule, finding.reason), "").strip()]
    if missing:
        raise ReasonMissingError(rules=",".join(missing))
    return asking
