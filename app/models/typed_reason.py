"""What counts as a reason that somebody typed.

Law: a reason is words for a reader; filling the field is none. It is judged here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.models.catalogue import Catalogue
from app.models.errors import AppError
from app.models.findings import Finding, Severity
from app.models.refill_visit import RefillVisit


class ReasonTooThinError(AppError):
    """What was typed is no reason; ``shortest`` is the least number of characters."""


def shortest_reason(catalogue: Catalogue) -> int:
    """The least number of characters of a reason. Source: U-15."""
    return int(catalogue.rule("u_15_reason_characters"))


def reason_is_good(text: str, shortest: int) -> bool:
    """Whether a text can pass for a reason: long enough, and of more than one letter. Source: U-15.

    Spaces around it do not count, and several in a row count once; nor does it help to repeat one letter or digit in
    capitals, or between marks.
    """
    words = " ".join(text.split())
    return len(words) >= shortest and len({letter for letter in words.casefold() if letter.isalnum()}) > 1


def require_good_reason(text: str, catalogue: Catalogue) -> str:
    """The reason, without spaces around it. Raises: ReasonTooThinError."""
    shortest = shortest_reason(catalogue)
    if not reason_is_good(text, shortest):
        raise ReasonTooThinError(shortest=shortest)
    return text.strip()


def overridden_in_a_row(visits: Sequence[RefillVisit], catalogue: Catalogue) -> tuple[Finding, ...]:
    """One finding for each rule that was overridden on each of the last visits; ``visits`` come oldest first.

    A visit at which nothing was filled does not count, and does not break a row either. Source: U-15.
    """
    times = int(catalogue.rule("u_15_visits_in_a_row"))
    done = [visit for visit in visits if visit.injected is not None][-times:]
    if len(done) < times:
        return ()
    overridden = set.intersection(*({answer.rule for answer in visit.answers} for visit in done))
    return tuple(
        Finding("U-15", Severity.TASK, "overridden-again", {"overridden_rule": rule, "visits": times})
        for rule in sorted(overridden)
    )
