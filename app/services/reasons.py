"""What a finding asks before a step is written: nothing forbidden, and a typed reason for everything that asks.

Law: one finding, one reason; a reason given for one is none for another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from app.models.catalogue import Catalogue
from app.models.errors import AppError
from app.models.findings import Finding, Severity, blocks
from app.models.typed_reason import reason_is_good, shortest_reason

Reasons = Mapping[tuple[str, str], str]
"""The reason typed for each (rule, reason) of a finding that asks to confirm."""
NO_REASONS: Reasons = MappingProxyType({})


class BlockedError(AppError):
    """A rule forbids this step as it stands; ``rules`` names them."""


class ReasonMissingError(AppError):
    """Rules ask for a reason and none was given, or one too thin; ``rules`` names them.

    ``shortest`` is the least length, in characters.
    """


def require_reasons(findings: Sequence[Finding], reasons: Reasons, catalogue: Catalogue) -> list[Finding]:
    """Make sure that nothing is forbidden and everything asked is answered; returns the findings that asked.

    Raises: BlockedError, ReasonMissingError. Source: U-15.
    """
    forbidden = blocks(findings)
    if forbidden:
        raise BlockedError(rules=",".join(finding.rule for finding in forbidden))
    asking = [finding for finding in findings if finding.severity is Severity.CONFIRM]
    shortest = shortest_reason(catalogue)
    given = [(finding.rule, reasons.get((finding.rule, finding.reason), "")) for finding in asking]
    missing = [rule for rule, words in given if not reason_is_good(words, shortest)]
    if missing:
        raise ReasonMissingError(rules=",".join(missing), shortest=shortest)
    return asking
