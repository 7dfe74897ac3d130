"""A clinic's own presets and a patient's day: who may, what is kept, and what the audit trail says of it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from app.models.patient import Role, User
from app.models.patient_day import DayPart
from app.models.ports import NotOnRecordError
from app.models.presets import InvalidPresetError, PresetNameTakenError, PresetRetiredError
from app.models.program import ConstantFlow, Program, SimpleContinuous
from app.models.pump import NotRepresentableError, PumpSettings
from app.models.quantities import DoseRate, Volume
from app.services.prescribing import DecodedDiffersError, NotAPhysicianError, Prescribing
from tests.services.bench import NOW, Bench


def simple(mcg: str) -> Program:
    return Program(SimpleContinuous(DoseRate.mcg_per_day(Fraction(mcg))))


class Desk:
    def __init__(self, folder: Path) -> None:
        self.bench = Bench(folder)
        self.prescribing: Prescribing = self.bench.station.prescribing
        self.physician, self.nurse = self.bench.physician, self.bench.nurse
        implant = self.bench.station.desk.implant(self.bench.patient)
        settings = self.prescribing.therapy(implant).settings
        assert settings is not None
        self.running: PumpSettings = settings

    def plan(self, mcg: str = "330") -> PumpSettings:
        return replace(self.running, program=simple(mcg))

    def trail(self) -> list[tuple[str, str, str]]:
        """What the audit trail says: who, what, of what."""
        with self.bench.station.store.engine.connect() as connection:  # type: ignore[attr-defined]
            rows: list[Any] = connection.exec_driver_sql("SELECT user_id, action, subject FROM audit").fetchall()
        return [tuple(row) for row in rows]

    def details(self) -> str:
        with self.bench.station.store.engine.connect() as connection:  # type: ignore[attr-defined]
            return " ".join(connection.exec_driver_sql("SELECT subject || detail FROM audit").scalars())


@pytest.fixture
def desk(tmp_path: Path):
    made = Desk(tmp_path)
    yield made
    made.bench.station.store.close()


def test_a_preset_is_what_a_pump_would_be_told_without_fill_and_bridge(desk: Desk) -> None:
    filled = replace(desk.plan(), reservoir=Volume.ml(18))
    preset = desk.prescribing.keep_preset("  Slow   start ", " By 10 % a week ", filled, desk.physician)
    assert (preset.name, preset.note) == ("Slow start", "By 10 % a week")
    assert preset.settings == replace(desk.plan(), reservoir=None, bridge=None)
    assert (preset.kept_at, preset.kept_by) == (NOW, desk.physician.id)
    assert desk.prescribing.presets() == (preset,)
    assert desk.trail()[-1] == (desk.physician.id, "preset.kept", preset.id)


def test_only_a_physician_on_record_keeps_and_retires(desk: Desk) -> None:
    preset = desk.prescribing.keep_preset("Slow start", "", desk.plan(), desk.physician)
    trail = desk.trail()
    unknown, claimed = User("user-unknown", "Dr Unknown", Role.PHYSICIAN), replace(desk.nurse, role=Role.PHYSICIAN)
    for other in (desk.nurse, unknown, claimed):
        with pytest.raises(NotAPhysicianError):
            desk.prescribing.keep_preset("Other", "", desk.plan(), other)
        with pytest.raises(NotAPhysicianError):
            desk.prescribing.retire_preset(preset, other)
    assert desk.prescribing.presets() == (preset,)
    assert desk.trail() == trail


def test_a_retired_preset_is_not_offered_and_stays_on_record(desk: Desk) -> None:
    preset = desk.prescribing.keep_preset("Slow start", "", desk.plan(), desk.physician)
    desk.prescribing.retire_preset(preset, desk.physician)
    assert desk.prescribing.presets() == ()
    assert [found.id for found in desk.bench.station.store.clinic_presets()] == [preset.id]
    assert desk.trail()[-1] == (desk.physician.id, "preset.retired", preset.id)
    with pytest.raises(PresetRetiredError):
        desk.prescribing.retire_preset(preset, desk.physician)


def test_a_name_that_can_be_chosen_already_is_refused(desk: Desk) -> None:
    first = desk.prescribing.keep_preset("Slow start", "", desk.plan(), desk.physician)
    with pytest.raises(PresetNameTakenError) as refused:
        desk.prescribing.keep_preset("slow START", "", desk.plan("340"), desk.physician)
    assert refused.value.values["name"] == "Slow start"
    with pytest.raises(PresetNameTakenError):
        desk.prescribing.keep_preset("every 6 h", "", desk.plan(), desk.physician, taken=["Every 6 h"])
    desk.prescribing.retire_preset(first, desk.physician)
    second = desk.prescribing.keep_preset("slow START", "", desk.plan("340"), desk.physician)
    assert desk.prescribing.presets() == (second,)


def test_nothing_without_a_name(desk: Desk) -> None:
    with pytest.raises(InvalidPresetError):
        desk.prescribing.keep_preset("  ", "", desk.plan(), desk.physician)
    assert desk.prescribing.presets() == ()


def test_what_the_pump_cannot_be_told_exactly_is_not_kept(desk: Desk) -> None:
    with pytest.raises(NotRepresentableError):
        desk.prescribing.keep_preset("Fine", "", desk.plan("330.00000000001"), desk.physician)
    with pytest.raises(NotRepresentableError):
        flowing = replace(desk.running, program=Program(ConstantFlow()))
        desk.prescribing.keep_preset("Flow", "", flowing, desk.physician)
    other = replace(desk.prescribing, canonical=lambda plan: (replace(plan, program=simple("3300")), "00" * 32))
    with pytest.raises(DecodedDiffersError):
        other.keep_preset("Other", "", desk.plan(), desk.physician)
    assert desk.prescribing.presets() == ()


def test_anybody_keeps_a_patients_day_and_the_trail_holds_no_word_of_it(desk: Desk) -> None:
    day = [DayPart("Schlaf bei Mutter", 1350, 480), DayPart("Transfers", 420, 45)]
    desk.prescribing.save_patient_day(desk.bench.patient, day, desk.nurse)
    assert desk.prescribing.patient_day(desk.bench.patient) == (day[1], day[0])
    assert desk.trail()[-1] == (desk.nurse.id, "patient-day.changed", desk.bench.patient)
    preset = desk.prescribing.keep_preset("Slow start", "Not for Mr Smith", desk.plan(), desk.physician)
    for words in ("Mutter", "Transfers", preset.name, "Smith"):
        assert words not in desk.details()


def test_nobody_on_record_has_no_day(desk: Desk) -> None:
    with pytest.raises(NotOnRecordError):
        desk.prescribing.save_patient_day("patient-nobody", [DayPart("Sleep", 1350, 480)], desk.nurse)
