"""A signed order as a value to print: finished text, from the very settings that were signed.

Law: nothing is printed that is not signed; doses in the table are exact, and what they come to is said in the same
words as on the screen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from app.models.catalogue import PumpModel
from app.models.comparison import clock, compare, day_names, duration, mode_name, moment, sentence_of
from app.models.formats import plain, rounded, show_concentration, with_unit
from app.models.patient import Implant, Patient
from app.models.ports import NotOnRecordError
from app.models.program import (
    ConstantFlow,
    DayPlan,
    Delivery,
    Flex,
    MinimumRate,
    PatientActivated,
    PeriodicBolus,
    Program,
    SimpleContinuous,
    Stopped,
)
from app.models.quantities import DoseRate, Mass
from app.models.report import ReportRow, ReportSection
from app.models.signed_order import SignedOrder
from app.services.prescribing import Prescribing, Version, VersionState

EVERY_DAY, ALL_DAY = "every day", "all day"
_STANDING = {
    VersionState.SIGNED: "IN FORCE",
    VersionState.SUPERSEDED: "REPLACED BY A LATER ORDER",
    VersionState.EXPIRED: "EXPIRED",
    VersionState.WITHDRAWN: "WITHDRAWN",
}


@dataclass(frozen=True, slots=True)
class TableRow:
    """One line of a program: on which days, when, what, how much, and for how long."""

    days: str
    time: str
    what: str
    dose: str
    lasting: str


@dataclass(frozen=True, slots=True)
class PrintedPlan:
    """One signed order for paper. ``digest`` is in groups of eight; ``footer`` stands on every page with it."""

    title: str
    patient: str
    subtitle: str
    standing: str
    sections: tuple[ReportSection, ...]
    sentence: str
    table: tuple[TableRow, ...]
    findings: tuple[str, ...]
    digest: str
    footer: str


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What stands around an order on paper. ``printed_at`` is UTC; ``in_pump_since`` is on the pump's clock."""

    patient: Patient
    implant: Implant
    model: PumpModel
    signer: str
    standing: VersionState
    in_pump_since: datetime | None
    printed_at: datetime


def printed_plan(prescribing: Prescribing, implant: Implant, order_id: str) -> PrintedPlan:
    """The plan of an order on record, as things stand now.

    Raises: OrderChangedError: it is not what was signed. NotOnRecordError: no such order.
    """
    versions = prescribing.versions(implant)
    signed = next((version for version in versions if version.id == order_id), None)
    if signed is None or signed.order is None:
        raise NotOnRecordError(kind="order", id=order_id)
    order = signed.order
    prescribing.require_unchanged(order)
    users = {user.id: user.name for user in prescribing.store.users()}
    around = Circumstances(
        patient=prescribing.therapy(implant).patient,
        implant=implant,
        model=prescribing.catalogue.pump(implant.pump_model),
        signer=users.get(order.signed_by, order.signed_by),
        standing=signed.state,
        in_pump_since=_in_pump_since(versions, order),
        printed_at=prescribing.clock.utc(),
    )
    return plan_on_paper(order, around)


def _in_pump_since(versions: tuple[Version, ...], order: SignedOrder) -> datetime | None:
    running = [version for version in versions if version.state is VersionState.IN_PUMP and version.order == order]
    return running[0].in_pump_since if running else None


def plan_on_paper(order: SignedOrder, around: Circumstances) -> PrintedPlan:
    """All text of the plan. Raises: NoCourseError."""
    patient = around.patient
    return PrintedPlan(
        title=f"Plan: {order.name}",
        patient=patient.name,
        subtitle=f"born {_day(patient.born_on)}, number {patient.number}",
        standing=_STANDING[around.standing],
        sections=(
            _section("Order", _order_rows(order, around)),
            _section("Pump", _pump_rows(around)),
            _section("In the reservoir", _drug_rows(order)),
            _section("What it comes to", _totals(order, around.model)),
        ),
        sentence=sentence_of(order.settings, around.model),
        table=program_table(order.program),
        findings=tuple(_findings(order)),
        digest=in_groups(order.digest),
        footer=f"Printed {_utc(around.printed_at)} · Cisterna is not a medical device",
    )


def in_groups(digest: str) -> str:
    """A digest in groups of eight, to be compared by eye."""
    return " ".join(digest[place : place + 8] for place in range(0, len(digest), 8))


def _section(title: str, rows: list[tuple[str, str]]) -> ReportSection:
    return ReportSection(title, tuple(ReportRow(label, value) for label, value in rows))


def _order_rows(order: SignedOrder, around: Circumstances) -> list[tuple[str, str]]:
    limit = plain(order.range_percent)
    allowed = f"each dose ± {limit} %, times as signed" if order.range_percent else "exactly this, nothing else"
    rows = [
        ("Signed by", around.signer),
        ("Signed at", _utc(order.signed_at)),
        ("Valid until", f"{_day(order.valid_until)}, the end of that day on the pump's clock"),
        ("A nurse may program", allowed),
    ]
    if order.withdrawn_at is not None:
        rows.append(("Withdrawn at", _utc(order.withdrawn_at)))
    return rows


def _day(day: date) -> str:
    return f"{day.day}\u00a0{day:%b}\u00a0{day.year}"


def _utc(at: datetime) -> str:
    return f"{moment(at.astimezone(UTC).replace(tzinfo=None))} UTC"


def _pump_rows(around: Circumstances) -> list[tuple[str, str]]:
    since = around.in_pump_since
    return [
        ("Model", around.model.name),
        ("Serial number", around.implant.serial),
        ("In the pump", "not yet" if since is None else f"verified, since {moment(since)} on its clock"),
    ]


def _drug_rows(order: SignedOrder) -> list[tuple[str, str]]:
    return [
        ("Drug", order.drug),
        ("Concentration", show_concentration(order.concentration)),
        ("Low-reservoir alarm at", with_unit(plain(order.low_alarm.in_ml), "mL")),
    ]


def _totals(order: SignedOrder, model: PumpModel) -> list[tuple[str, str]]:
    return [(row.item, row.new) for row in compare(order.settings, order.settings, model) if row.derived]


def _findings(order: SignedOrder) -> Iterator[str]:
    for said in order.findings:
        answer = f" Reason given: {said.answer}" if said.answer else ""
        yield f"{said.rule}: {said.sentence}{answer}"


# -- the program as a table ------------------------------------------------------------------------------------------


def program_table(program: Program) -> tuple[TableRow, ...]:
    """Every line of a program, each dose exact."""
    rows = list(_delivery_rows(program.delivery))
    if program.patient_activated is not None:
        rows.append(_patient_row(program.patient_activated))
    return tuple(rows)


def _delivery_rows(delivery: Delivery) -> Iterator[TableRow]:
    match delivery:
        case SimpleContinuous(daily_dose=dose):
            yield _rate_row(EVERY_DAY, "rate", dose)
        case PeriodicBolus() as periodic:
            yield _rate_row(EVERY_DAY, "basal rate", periodic.basal)
            every = f"every {duration(periodic.every_min)}"
            first = f"from Mon {clock(periodic.first_at)}"
            yield TableRow(first, every, "bolus", _dose(periodic.dose), duration(periodic.duration_min))
        case Flex(plans=plans):
            for plan in plans:
                yield from _plan_rows(plan, EVERY_DAY if len(plans) == 1 else day_names(plan))
        case MinimumRate() | Stopped():
            yield TableRow(EVERY_DAY, ALL_DAY, mode_name(Program(delivery)), "", "")
        case ConstantFlow():
            yield TableRow(EVERY_DAY, ALL_DAY, mode_name(Program(delivery)), "", "")


def _plan_rows(plan: DayPlan, days: str) -> Iterator[TableRow]:
    yield _rate_row(days, "basal rate", plan.basal)
    for bolus in sorted(plan.boluses, key=lambda bolus: bolus.at):
        yield TableRow(days, clock(bolus.at), "bolus on top", _dose(bolus.dose), duration(bolus.duration_min))
    for step in sorted(plan.steps, key=lambda step: step.at):
        yield TableRow(days, clock(step.at), "step in place", _dose(step.dose), duration(step.duration_min))


def _rate_row(days: str, what: str, rate: DoseRate) -> TableRow:
    hourly = with_unit(rounded(rate.in_mcg_per_hour, 3), "mcg/h")
    return TableRow(days, ALL_DAY, what, with_unit(plain(rate.in_mcg_per_day), "mcg/day"), hourly)


def _dose(dose: Mass) -> str:
    return with_unit(plain(dose.in_mcg), "mcg")


def _patient_row(patient: PatientActivated) -> TableRow:
    lockout = f"lockout {duration(patient.lockout_min)}"
    often = f"at most {patient.max_per_day} a day"
    what = "patient-activated bolus"
    return TableRow(often, lockout, what, _dose(patient.dose), duration(patient.duration_min))
