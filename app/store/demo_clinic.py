"""A small clinic of demonstration patients, from published cases; names, numbers and serials are invented.

Law: therapies are arithmetically consistent and lie around ``today``, so that some are due, some late, some early.
Which patient comes from which paper, and what is assumed, is in docs/demonstration-patients.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction

from app.models.patient import CatheterPiece, Implant, Origin, Patient, Role, User
from app.models.program import (
    EVERY_DAY,
    Bolus,
    ConstantFlow,
    DayPlan,
    Delivery,
    Flex,
    PeriodicBolus,
    Program,
    SimpleContinuous,
    Step,
    Stopped,
    Weekday,
)
from app.models.pump import PumpSettings
from app.models.quantities import Concentration, DoseRate, Flow, Mass, Volume
from app.models.records import Assessment, AuditEntry, Fill, ProgramRecord, ProgramState
from app.store.clinic import SqlClinicStore

USERS = (
    User("user-nurse-1", "Ingrid Sørensen", Role.NURSE),
    User("user-nurse-2", "Paul Okafor", Role.NURSE),
    User("user-physician-1", "Dr Helene Brandt", Role.PHYSICIAN),
)
_TEN = time(10, 0)
_WEEKDAYS = (Weekday.MON, Weekday.TUE, Weekday.WED, Weekday.THU, Weekday.FRI)
_WEEKEND = (Weekday.SAT, Weekday.SUN)


@dataclass(frozen=True, slots=True)
class _Case:
    """One patient. ``fill_days_ago`` is ``None`` for a pump that was never filled here; ``earlier`` are changes before
    the current therapy as (day, delivery, drug, concentration in mcg/mL)."""

    key: str
    number: str
    family: str
    given: str
    born_on: date
    diagnosis: str
    pump: str
    serial: str
    implanted_on: date
    delivery: Delivery
    concentration: int
    volume: str
    fill_days_ago: int | None
    drug: str = "baclofen"
    origin: Origin | None = Origin.SPINAL
    high_risk: bool = False
    low_alarm: str = "2"
    catheter: tuple[CatheterPiece, ...] = ()
    flow: Flow | None = None
    appointment_in: int | None = None
    every_days: int = 90
    earlier: tuple[tuple[date, Delivery, str, int], ...] = ()
    tone: tuple[tuple[date, str, tuple[str, ...]], ...] = field(default=())


def _simple(mcg_per_day: int) -> SimpleContinuous:
    return SimpleContinuous(DoseRate.mcg_per_day(mcg_per_day))


def _piece(model: str, trimmed: str | None) -> tuple[CatheterPiece, ...]:
    return (CatheterPiece(model, Fraction(trimmed) if trimmed else None),)


def _periodic(basal: str, dose: int, hours: int) -> PeriodicBolus:
    return PeriodicBolus(
        basal=DoseRate.mcg_per_day(Fraction(basal)), dose=Mass.mcg(dose), duration_min=5, every_min=hours * 60
    )


def _thirteen_boluses() -> Flex:
    """350 mcg/day and 13 boluses of 50 mcg."""
    boluses = tuple(Bolus(at=100 * number, dose=Mass.mcg(50), duration_min=5) for number in range(13))
    return Flex((DayPlan(EVERY_DAY, DoseRate.mcg_per_day(350), boluses),))


def _weekday_flex() -> Flex:
    """More by night on working days, an even rate at the weekend."""
    night = Step(at=22 * 60, duration_min=480, dose=Mass.mcg(260))
    return Flex(
        (
            DayPlan(_WEEKDAYS, DoseRate.mcg_per_day(390), steps=(night,)),
            DayPlan(_WEEKEND, DoseRate.mcg_per_day(480)),
        )
    )


def _morning_flex() -> Flex:
    """More in the morning, in all 315 mcg in 24 h."""
    return Flex(
        (DayPlan(EVERY_DAY, DoseRate.mcg_per_day(288), steps=(Step(at=360, duration_min=180, dose=Mass.mcg(63)),)),)
    )


def _cases(today: date) -> tuple[_Case, ...]:
    def years_ago(years: int) -> date:
        return date(today.year - years, today.month, min(today.day, 28))

    return (
        _Case(
            "fuente", "50-1042", "Aguirre Belmonte", "Tomás", date(1974, 2, 11), "Spinal cord injury C3, AIS C",
            "synchromed-ii-40", "EMU-104711", years_ago(4), _simple(400), 2000, "38", 172,
            catheter=_piece("8731SC", "24.1"), appointment_in=5, every_days=70, earlier=_FUENTE, tone=_FUENTE_TONE,
        ),
        _Case(
            "heetla-1", "50-0918", "van der Meulen", "Johanna", date(1957, 5, 3), "Multiple sclerosis",
            "synchromed-ii-20", "EMU-100191", years_ago(3), _simple(300), 1000, "18", 47,
            catheter=_piece("8709SC", "9.0"), appointment_in=3,
            earlier=(
                (date(2003, 1, 1), _simple(450), "baclofen", 1000),
                (date(2003, 2, 12), _simple(575), "baclofen", 1000),
                (date(2003, 2, 13), _simple(48), "baclofen", 1000),
                (date(2003, 2, 14), _simple(300), "baclofen", 1000),
            ),
        ),
        _Case(
            "heetla-8", "50-1201", "Hoekstra", "Sjoerd", date(1976, 9, 27), "Cerebral palsy",
            "synchromed-ii-20", "EMU-100832", years_ago(5), _morning_flex(), 1000, "18", 30, origin=Origin.CEREBRAL,
            catheter=_piece("8709", "11.5"),
            earlier=(
                (date(2003, 1, 1), _simple(315), "baclofen", 1000),
                (date(2003, 4, 1), _simple(345), "baclofen", 1000),
                (date(2003, 4, 2), _simple(70), "baclofen", 500),
                (date(2003, 4, 4), _simple(315), "baclofen", 1000),
            ),
        ),
        _Case(
            "heetla-20", "50-1377", "Bakker", "Willem", date(1951, 1, 19), "Spinal cord injury T8",
            "synchromed-ii-40", "EMU-102044", years_ago(2), _periodic("100", 85, 6), 2000, "38", 60,
            catheter=_piece("8709SC", "14.0"), appointment_in=95,
            earlier=(
                (date(2005, 6, 1), _simple(470), "baclofen", 2000),
                (date(2005, 7, 1), _simple(590), "baclofen", 2000),
                (date(2005, 7, 2), _periodic("100", 85, 6), "baclofen", 2000),
            ),
        ),
        _Case(
            "kawano-a", "50-1466", "Nakamura", "Haruto", date(1968, 12, 2), "Spinal cord injury C6",
            "synchromed-ii-20", "EMU-103306", years_ago(6), _periodic("5.5", 30, 6), 500, "18", 50, high_risk=True,
            catheter=_piece("8709SC", "20.5"),
        ),
        _Case(
            "kawano-b", "50-1467", "Ishikawa", "Yuki", date(1980, 4, 8), "Hereditary spastic paraplegia",
            "synchromed-ii-20", "EMU-103307", years_ago(5), _periodic("5.5", 30, 8), 500, "18", 88,
            catheter=_piece("8709SC", "17.0"), appointment_in=-2,
        ),
        _Case(
            "dressnandt-14", "50-0633", "Müller", "Anna", date(1949, 7, 21), "Multiple sclerosis",
            "synchromed-8611h", "EMU-081114", years_ago(5), _simple(200), 500, "18", 47,
            catheter=_piece("8711", "30.0"),
        ),
        _Case(
            "morphine", "50-1588", "Ó Conaill", "Pádraig", date(1962, 3, 17), "Failed back surgery, spasticity",
            "synchromed-ii-40", "EMU-105588", years_ago(3), _simple(3000), 10_000, "30", 70, drug="morphine",
            catheter=_piece("8780", "41.0"), every_days=80,
        ),
        _Case(
            "constant-flow", "50-0702", "Kovács", "Ilona", date(1955, 10, 30), "Spinal cord injury T11",
            "isomed-35-0.5", "EMU-035005", years_ago(7), ConstantFlow(Flow.ml_per_day(Fraction("0.5"))), 500, "33", 52,
            flow=Flow.ml_per_day(Fraction("0.5")), catheter=_piece("8709", "6.0"), every_days=60,
        ),
        _Case(
            "el", "50-0811", "Yılmaz", "Emine", date(1971, 6, 14), "Tumour of the spinal cord",
            "synchromed-el-18", "EMU-020018", years_ago(6), _simple(150), 500, "18", 20,
            catheter=_piece("8731", "33.0"), appointment_in=25, every_days=48,
        ),
        _Case(
            "long-name", "50-1699", "Øvergård-Szczepańska von Hohenlohe", "Maria-Magdalena Kunigunde",
            date(1988, 8, 8), "Brain injury", "synchromed-ii-20", "EMU-106990", years_ago(1), _simple(180), 500, "18",
            40, origin=Origin.CEREBRAL, catheter=_piece("8709SC", None), every_days=42,
        ),
        _Case(
            "child", "50-1720", "Lindqvist", "Elsa", date(today.year - 9, 3, 4), "Cerebral palsy",
            "prometra-ii-20", "EMU-107201", years_ago(1), _simple(120), 500, "18", 10, origin=Origin.CEREBRAL,
            high_risk=True, low_alarm="3", catheter=_piece("prometra-110", "48.0"), every_days=60,
        ),
        _Case(
            "weekdays", "50-1604", "Ferreira da Silva", "João", date(1990, 11, 23), "Spinal cord injury T4",
            "synchromed-ii-40", "EMU-106040", years_ago(4), _weekday_flex(), 2000, "38", 130, high_risk=True,
            catheter=_piece("8780", "52.5"), every_days=130,
        ),
        _Case(
            "new", "50-1733", "Dubois", "Camille", date(1993, 2, 26), "Multiple sclerosis",
            "synchromed-iii-20", "EMU-107330", today - timedelta(days=2), Stopped(), 500, "18", None,
            catheter=_piece("8780", "47.0"),
        ),
    )  # fmt: skip


_FUENTE: tuple[tuple[date, Delivery, str, int], ...] = (
    (date(2016, 9, 15), _simple(400), "baclofen", 2000),
    (date(2017, 4, 15), _simple(600), "baclofen", 2000),
    (date(2017, 4, 25), _periodic("100", 83, 4), "baclofen", 2000),
    (date(2017, 5, 20), _periodic("100", 100, 4), "baclofen", 2000),
    (date(2017, 11, 15), _simple(850), "baclofen", 2000),
    (date(2018, 3, 15), _simple(1000), "baclofen", 2000),
    (date(2018, 9, 1), _thirteen_boluses(), "baclofen", 2000),
    (date(2021, 3, 15), _simple(700), "baclofen", 2000),
    (date(2021, 3, 18), _simple(400), "baclofen", 2000),
    (date(2021, 3, 21), _simple(100), "baclofen", 2000),
    (date(2021, 3, 24), _simple(1000), "morphine", 10_000),
    (date(2021, 4, 18), _simple(200), "baclofen", 2000),
    (date(2021, 5, 1), _simple(400), "baclofen", 2000),
)
_FUENTE_TONE: tuple[tuple[date, str, tuple[str, ...]], ...] = (
    (date(2013, 11, 7), "MAS", ("2", "2", "3", "3")),
    (date(2016, 6, 1), "MAS", ("4", "4", "4", "4")),
    (date(2016, 9, 20), "MAS", ("2", "2", "2", "2")),
    (date(2018, 9, 1), "MAS", ("3", "3", "3", "3")),
    (date(2021, 5, 1), "MAS", ("1", "2", "1", "2")),
)


def fill_with_demonstration(store: SqlClinicStore, *, today: date) -> None:
    """Write the demonstration patients into an empty store. ``today`` is the day on the pumps' clocks."""
    now = datetime.combine(today, _TEN, tzinfo=UTC)
    cases = _cases(today)
    implants = [_implant(case) for case in cases]
    histories = [_history(case, today) for case in cases]
    store.add(
        AuditEntry(now, USERS[0].id, "clinic.demonstration", "store"),
        users=USERS,
        patients=[_patient(case) for case in cases],
        implants=implants,
        programs=[program for programs, _ in histories for program in programs],
        fills=[fill for _, fills in histories for fill in fills],
        assessments=[rating for case in cases for rating in _ratings(case)],
        appointments=[
            (f"patient-{case.key}", today + timedelta(days=case.appointment_in))
            for case in cases
            if case.appointment_in is not None
        ],
    )


def _patient(case: _Case) -> Patient:
    return Patient(
        id=f"patient-{case.key}",
        number=case.number,
        family_name=case.family,
        given_name=case.given,
        born_on=case.born_on,
        diagnosis=case.diagnosis,
        origin=case.origin,
        high_risk=case.high_risk,
    )


def _implant(case: _Case) -> Implant:
    return Implant(
        id=f"implant-{case.key}",
        patient_id=f"patient-{case.key}",
        pump_model=case.pump,
        serial=case.serial,
        implanted_on=case.implanted_on,
        catheter=case.catheter,
        flow=case.flow,
    )


def _history(case: _Case, today: date) -> tuple[list[ProgramRecord], list[Fill]]:
    """Programs and fills in time; every fill is programmed at the same moment, as a pump's update does it."""
    if case.fill_days_ago is None:
        return [], []
    last = today - timedelta(days=case.fill_days_ago)
    programs: list[ProgramRecord] = []
    fills: list[Fill] = []
    for day, delivery, drug, concentration, filled in _events(case, last):
        at = datetime.combine(day, _TEN)
        reservoir = Volume.ml(Fraction(case.volume)) if filled else None
        settings = PumpSettings(
            drug=drug,
            concentration=Concentration.mcg_per_ml(concentration),
            program=Program(delivery),
            low_alarm=Volume.ml(Fraction(case.low_alarm)),
            reservoir=reservoir,
        )
        number = len(programs)
        programs.append(
            ProgramRecord(
                id=f"program-{case.key}-{number}",
                implant_id=f"implant-{case.key}",
                visit_id=None,
                state=ProgramState.VERIFIED,
                settings=settings,
                effective_at=at,
                recorded_at=at.replace(tzinfo=UTC),
                recorded_by=USERS[2].id,
            )
        )
        if reservoir is not None:
            fills.append(_fill(case, number, at, settings, reservoir))
    return programs, fills


def _fill(case: _Case, number: int, at: datetime, settings: PumpSettings, volume: Volume) -> Fill:
    return Fill(
        id=f"fill-{case.key}-{number}",
        implant_id=f"implant-{case.key}",
        visit_id=None,
        at=at,
        drug=settings.drug,
        concentration=settings.concentration,
        volume=volume,
        injected=volume,
        lot=f"{settings.drug[:2].upper()}{at:%y%m}-{number:02d}",
        expires_on=at.date() + timedelta(days=540),
        recorded_by=USERS[number % 2].id,
    )


def _events(case: _Case, last: date) -> Iterator[tuple[date, Delivery, str, int, bool]]:
    """(day, delivery, drug, concentration, whether it is a fill), in time, the current therapy at the end."""
    changes = list(case.earlier)
    running: tuple[Delivery, str, int] | None = None
    due = changes[0][0] if changes else last
    for day, delivery, drug, concentration in changes:
        yield from _fills_between(case, due, day, running)
        due = _next_fill(due, day, case.every_days)
        fresh = running is None or (drug, concentration) != running[1:]
        if fresh:
            due = day + timedelta(days=case.every_days)
        yield day, delivery, drug, concentration, fresh
        running = (delivery, drug, concentration)
    yield from _fills_between(case, due, last, running)
    yield last, case.delivery, case.drug, case.concentration, True


def _fills_between(
    case: _Case, due: date, until: date, running: tuple[Delivery, str, int] | None
) -> Sequence[tuple[date, Delivery, str, int, bool]]:
    found = []
    while running is not None and due < until:
        found.append((due, *running, True))
        due += timedelta(days=case.every_days)
    return found


def _next_fill(due: date, until: date, every_days: int) -> date:
    while due < until:
        due += timedelta(days=every_days)
    return due


def _ratings(case: _Case) -> Iterator[Assessment]:
    for number, (day, scale, values) in enumerate(case.tone):
        yield Assessment(
            id=f"assessment-{case.key}-{number}",
            patient_id=f"patient-{case.key}",
            on=day,
            scale=scale,
            values=tuple(Fraction(value) for value in values),
        )
