"""The refill report as a value: what is printed, saved and shown, all from the same rows.

Law: a report is built from verified facts only, and holds finished text; who draws it computes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A label and what stands beside it."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class ReportSection:
    """A heading and its rows."""

    title: str
    rows: tuple[ReportRow, ...]


@dataclass(frozen=True, slots=True)
class ReportChange:
    """One changed or unchanged setting: before, after, and the change in words (empty where nothing changed)."""

    item: str
    old: str
    new: str
    change: str


@dataclass(frozen=True, slots=True)
class RefillReport:
    """One refill visit on one page.

    ``hours`` is the dose in mcg of each hour of the day (24 numbers as plain text) for the schedule bar.
    ``emulated`` prints a standing mark.
    """

    title: str
    patient: str
    subtitle: str
    outcome: str
    sections: tuple[ReportSection, ...]
    changes: tuple[ReportChange, ...]
    hours: tuple[str, ...]
    overrides: tuple[str, ...]
    footer: str
    emulated: bool
