"""A change of solution in words: what changes, and what it means with and without a bridge.

Law: every number in a sentence is that of the plan; times are those of the pump's own clock.
"""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction

from PySide6.QtCore import QCoreApplication

from app.models.catalogue import Catalogue
from app.models.comparison import duration
from app.models.formats import plain, rounded, show_dose, with_unit
from app.models.solution_change import Changed, Solution, SolutionChange
from app.models.solution_outlook import ChangePlan, Outlook
from app.ui.dates import MONTHS

_SPACE = "\u00a0"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_LONG_H = 72


def _tr(text: str) -> str:
    return QCoreApplication.translate("BridgeWords", text)


def weekday_moment(at: datetime) -> str:
    """``Sat 21 Nov 14:20``, never broken."""
    return _SPACE.join((*day_parts(at), f"{at:%H:%M}"))


def day_parts(at: datetime) -> tuple[str, str, str]:
    """Weekday, day and month."""
    return _DAYS[at.weekday()], str(at.day), MONTHS[at.month - 1]


def what_changes(change: SolutionChange, catalogue: Catalogue) -> str:
    """In one sentence what is not the same afterwards."""
    old, new = _strength(change.old, catalogue), _strength(change.new, catalogue)
    doses = (show_dose(change.old_dose), show_dose(change.new_dose))
    name = catalogue.drug(change.new.drug).name
    if Changed.DRUG in change.changed:
        return _tr("The drug changes: from {0} at {2} to {1} at {3}.").format(
            f"{catalogue.drug(change.old.drug).name} {old}", f"{name} {new}", *doses
        )
    if Changed.DOSE in change.changed:
        return _tr("Concentration and dose change at once: {0} from {1} to {2}, and from {3} to {4}.").format(
            name, old, new, *doses
        )
    return _tr("The concentration changes: {0} from {1} to {2}. The daily dose stays {3}.").format(
        name, old, new, doses[0]
    )


def _strength(solution: Solution, catalogue: Catalogue) -> str:
    parts = [plain(strength.in_mcg_per_ml) for _, strength in solution.parts]
    text = with_unit(parts[0], "mcg/mL")
    others = [
        f"{catalogue.drug(drug).name}{_SPACE}{value}"
        for (drug, _), value in zip(solution.parts[1:], parts[1:], strict=True)
    ]
    return f"{text} ({', '.join(others)})" if others else text


def without_words(outlook: Outlook, change: SolutionChange, catalogue: Catalogue) -> str:
    """What leaving out the bridge comes to: a multiple of the dose, and for how long."""
    of_drug = Changed.DRUG in change.changed
    factors = _factors(outlook, change)
    if len(factors) > 1:
        return _tr("Without the bridge: from {0} to {1}, within {2}.").format(
            _times(min(factors), ""), _times(max(factors), ""), hours_words(outlook.hours or Fraction(0))
        )
    text = _tr("Without the bridge: {0} ({1}) {2}.").format(
        _times(outlook.factor, catalogue.drug(outlook.drug).name if of_drug else ""),
        with_unit(rounded(outlook.mcg_per_day, 1), "mcg/day"),
        _tr("for {0}").format(hours_words(outlook.hours)) if outlook.hours is not None else _tr("for ever"),
    )
    added = [drug for drug, _ in change.new.parts if drug not in dict(change.old.parts)]
    if added and outlook.hours is not None:
        names = ", ".join(catalogue.drug(drug).name for drug in added)
        text += " " + _tr("Until then no {0} arrives.").format(names)
    return text


def _factors(outlook: Outlook, change: SolutionChange) -> set[Fraction]:
    """Multiples of the old dose that arrive before the new solution does: several from a path of two solutions."""
    if outlook.hours is None:
        return set()
    dose, until = change.old_dose.in_mcg_per_day, outlook.hours * 60
    return {step.mcg_per_day(outlook.drug) / dose for step in outlook.without if step.end_min <= until}


def _times(factor: Fraction, drug: str) -> str:
    dose = _tr("the {0} dose").format(drug) if drug else _tr("the dose")
    if factor == 0:
        return _tr("nothing of {0}").format(dose)
    if factor == 1:
        return _tr("{0} as before").format(dose)
    if factor > 1:
        return _tr("{0} times {1}").format(rounded(factor, 2), dose)
    return _tr("{0} of {1}").format(with_unit(rounded(factor * 100, 1), "%"), dose)


def hours_words(hours: Fraction) -> str:
    """Hours to a tenth; from three days on, days to a tenth."""
    if hours < _LONG_H:
        return with_unit(rounded(hours, 1), "h")
    return with_unit(rounded(hours / 24, 1), "days")


def bridge_words(plan: ChangePlan) -> str:
    """The first of the two answers."""
    ends = plan.outlook.ends_at if plan.outlook is not None else None
    return _tr("&Bridge, ends {0}").format(weekday_moment(ends)) if ends is not None else _tr("&Bridge")


def bridge_remark(plan: ChangePlan, catalogue: Catalogue) -> str:
    """How the bridge runs, or why there can be none."""
    change, bridge = plan.change, plan.bridge
    if bridge is not None:
        return _tr("{0} of the old solution at the old dose, {1}, for {2}.").format(
            with_unit(rounded(bridge.volume.in_ml, 3), "mL"), show_dose(change.old_dose), duration(bridge.duration_min)
        )
    if plan.ranged is not None:
        ranged = plan.ranged
        return _tr(
            "It would last {0} with {1} of catheter, and {2} with {3}. The length is not on record, so it cannot be "
            "programmed."
        ).format(
            duration(ranged.shortest_min),
            with_unit(plain(ranged.shortest_cm), "cm"),
            duration(ranged.longest_min),
            with_unit(plain(ranged.longest_cm), "cm"),
        )
    if plan.path is None:
        return _tr("Not possible: the volume of tubing and catheter is not on record.")
    if plan.wait_until is not None:
        return _tr("Not possible before {0}: until then the catheter holds two solutions.").format(
            weekday_moment(plan.wait_until)
        )
    if plan.path.only_fluid is None:
        return _tr("Not possible: the catheter holds two solutions, and nothing moves.")
    return _tr("Not possible: {0} is not given before the change, or nothing is given after it.").format(
        catalogue.drug(change.old.dosed).name
    )


def real_words(plan: ChangePlan) -> str:
    """The real concentration once the rinse is answered; empty if nothing is known about it."""
    error = plan.real_error
    if plan.real is None or error is None:
        return ""
    percent = f"{'+' if error > 0 else ''}{rounded(error * 100, 1)}"
    return _tr("With what stays in the pump, the new solution is really {0} ({1}).").format(
        with_unit(rounded(plan.real.mcg_per_ml(plan.change.new.dosed), 0), "mcg/mL"), with_unit(percent, "%")
    )
