"""Findings as cards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from app.models.findings import Finding
from app.models.rule_texts import sentence
from app.ui.finding_list import Card


def cards_of(findings: Iterable[Finding]) -> list[Card]:
    """One card for each finding, with its sentence."""
    return [Card(finding.rule, finding.severity, sentence(finding)) for finding in findings]


def reasons_of(findings: Iterable[Finding], typed: Mapping[Card, str]) -> dict[tuple[str, str], str]:
    """The reasons typed on the cards, by (rule, reason) of their findings."""
    by_card = {Card(finding.rule, finding.severity, sentence(finding)): finding for finding in findings}
    return {
        (by_card[card].rule, by_card[card].reason): text for card, text in typed.items() if card in by_card and text
    }
