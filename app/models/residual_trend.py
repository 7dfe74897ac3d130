"""What the last refills say together: the same error again and again, where one of them alone says little.

Law: only what was drawn out and written down counts; a visit without both volumes is left out, never guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise

from app.models.catalogue import Catalogue
from app.models.findings import Finding, Severity
from app.models.formats import rounded
from app.models.quantities import Volume
from app.models.records import Fill
from app.models.refill_visit import RefillVisit
from app.models.reservoir import ResidualJudgement


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """One refill: what came out minus what should have, in mL, exactly; ``error`` is a fraction (0.01 is one percent).

    ``on`` is the day (UTC) on which it was drawn out. ``error`` is of what was delivered, positive for too much, and
    ``None`` where nothing should have been delivered or the fill before is not on record.
    """

    on: date
    difference_ml: Fraction
    error: Fraction | None


def trend_point(on: date, judgement: ResidualJudgement) -> TrendPoint:
    """The point of a residual that is being judged now."""
    return TrendPoint(on, judgement.difference_pl / Volume.PER_ML, judgement.error)


def residual_trend(
    visits: Sequence[RefillVisit], fills: Sequence[Fill], catalogue: Catalogue
) -> tuple[TrendPoint, ...]:
    """The last refills of a pump, oldest first, one fewer than are shown: the one under way comes last.

    ``visits`` and ``fills`` are the pump's, oldest first. Source: REF-02.
    """
    points = [point for visit in visits if (point := _point(visit, fills)) is not None]
    return tuple(points[1 - int(catalogue.rule("ref_02_trend_shown")) :])


def _point(visit: RefillVisit, fills: Sequence[Fill]) -> TrendPoint | None:
    if visit.aspirated is None or visit.expected is None or visit.aspirated_at is None:
        return None
    before = _fill_before(visit, fills)
    due = before.volume.quanta - visit.expected.quanta if before is not None else 0
    error = None
    if before is not None and due:
        error = Fraction(before.volume.quanta - visit.aspirated.quanta, due) - 1
    return TrendPoint(visit.aspirated_at.date(), (visit.aspirated - visit.expected).in_ml, error)


def _fill_before(visit: RefillVisit, fills: Sequence[Fill]) -> Fill | None:
    """The fill that was drawn out at ``visit``: the one before its own."""
    for earlier, fill in pairwise((None, *fills)):
        if fill is not None and fill.visit_id == visit.id:
            return earlier
    return None


def trend_findings(points: Sequence[TrendPoint], catalogue: Catalogue) -> tuple[Finding, ...]:
    """Whether the last refills all err to one side, or err more each time; ``points`` come oldest first.

    Source: REF-02, docs/devices.md, discrepancy rules.
    """
    times = int(catalogue.rule("ref_02_trend_visits"))
    last = points[-times:]
    if len(last) < times:
        return ()
    values: dict[str, str | int] = {
        "visits": times,
        "differences_ml": ", ".join(signed(point.difference_ml, 2) for point in last),
    }
    found = []
    for reason, sign in (("trend-too-much-left", 1), ("trend-too-little-left", -1)):
        if all(point.difference_ml * sign > 0 for point in last):
            found.append(Finding("REF-02", Severity.NOTE, reason, values))
    errors = [abs(point.error) for point in last if point.error is not None]
    if len(errors) == times and all(earlier < later for earlier, later in pairwise(errors)):
        percents = ", ".join(signed(point.error * 100, 1) for point in last if point.error is not None)
        found.append(Finding("REF-02", Severity.NOTE, "trend-grows", {"visits": times, "errors_percent": percents}))
    return tuple(found)


def signed(value: Fraction, decimals: int) -> str:
    """``value`` rounded half to even, with a plus sign where it is above zero."""
    return f"{'+' if value > 0 else ''}{rounded(value, decimals)}"
