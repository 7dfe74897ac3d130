"""What is drawn behind a schedule and beside it: layers, the patient's day, his own bolus, what a low block leaves."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.models.editing import Kind, Place
from app.models.program import EVERY_DAY, DayPlan, Flex, PatientActivated, Program, Step
from app.models.quantities import DoseRate, Mass
from app.ui.schedule.layers import Wish
from app.ui.schedule.timeline_layout import Band, Curve, LayerKind
from app.ui.schedule.view import ScheduleView
from app.ui.schedule.view_model import ScheduleViewModel
from app.ui.theme import DARK, LIGHT, apply_theme
from tests.services.bench import Bench

FUENTE = "patient-fuente"
LOW = Step(14 * 60, 4 * 60, Mass.mcg(4))
HIGH = Step(5 * 60, 60, Mass.mcg(20))
"""Of 10 mcg/h basal, four hours at 1 mcg/h and one hour at 20 mcg/h."""


def program(*steps: Step) -> Program:
    return Program(Flex((DayPlan(EVERY_DAY, DoseRate.mcg_per_day(240), (), steps),)))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory):
    """Nothing is written into its store but the patient's day."""
    made = Bench(tmp_path_factory.mktemp("clinic"), patient=FUENTE)
    yield made
    made.station.store.close()


@pytest.fixture
def view(qtbot: QtBot, themed: QApplication, bench: Bench) -> ScheduleView:
    bench.station.prescribing.save_patient_day(FUENTE, [], bench.nurse)
    model = ScheduleViewModel(bench.station)
    made = ScheduleView(model)
    qtbot.addWidget(made)
    model.open(bench.station.prescribing.therapy(bench.station.desk.implant(FUENTE)))
    model.edit(program(LOW, HIGH), "a low afternoon")
    made.resize(1200, 690)
    made.show()
    return made


def kinds(view: ScheduleView) -> list[tuple[LayerKind, str]]:
    return [(layer.kind, layer.name) for layer in view.view_model.layers()]


def entries(view: ScheduleView) -> dict[str, QAction]:
    view.tools.layers.fill()
    return {action.text(): action for action in view.tools.layers.layers.actions()}


def entry(view: ScheduleView, words: str) -> QAction:
    return next(action for text, action in entries(view).items() if text.startswith(words))


# -- layers ------------------------------------------------------------------------------------------------------------


def test_at_first_the_program_in_the_pump_and_the_effect_are_drawn(view: ScheduleView) -> None:
    assert kinds(view) == [(LayerKind.OUTLINE, "In the pump now"), (LayerKind.CURVE, "Effect, predicted")]
    entry(view, "In the pump now").trigger()
    assert kinds(view) == [(LayerKind.CURVE, "Effect, predicted")]
    assert not entry(view, "In the pump now").isChecked()


def test_what_runs_in_the_pump_is_no_layer_while_the_board_shows_just_that(view: ScheduleView) -> None:
    view.view_model.start_from_running()
    assert LayerKind.OUTLINE not in [kind for kind, _ in kinds(view)]


def test_the_three_verified_programs_before_the_one_that_runs_can_be_looked_at(view: ScheduleView) -> None:
    past = [text for text in entries(view) if text.startswith("Verified on")]
    assert len(past) == 3
    for text in past[:2]:
        entries(view)[text].trigger()
    outlines = [name for kind, name in kinds(view) if kind is LayerKind.OUTLINE]
    assert outlines == ["In the pump now", "12\u00a0Apr\u00a02026", "1\u00a0Feb\u00a02026"]


def test_one_published_schedule_at_a_time_lies_behind(view: ScheduleView) -> None:
    entry(view, "Boluses every 6 h").trigger()
    entry(view, "Boluses every 8 h").trigger()
    outlines = [name for kind, name in kinds(view) if kind is LayerKind.OUTLINE]
    assert outlines == ["In the pump now", "Boluses every 8 h, Kawano"]


def test_the_curve_has_two_sets_and_can_be_left_away(view: ScheduleView) -> None:
    def highest() -> float:
        return max(curve(view).percent)

    label = highest()
    entry(view, "With those of the seed papers").trigger()
    assert highest() != label
    view.view_model.show_layers(replace(view.view_model.wish, curve=""))
    assert LayerKind.CURVE not in [kind for kind, _ in kinds(view)]
    assert not entry(view, "The fluid with its band").isEnabled()


def curve(view: ScheduleView) -> Curve:
    found = next(layer.data for layer in view.view_model.layers() if layer.kind is LayerKind.CURVE)
    assert isinstance(found, Curve)
    return found


def test_the_band_surrounds_the_fluid_and_the_effect_has_none(view: ScheduleView) -> None:
    assert not len(curve(view).low)
    entry(view, "The fluid with its band").trigger()
    drawn = curve(view)
    assert all(low <= mid <= high for low, mid, high in zip(drawn.low, drawn.percent, drawn.high, strict=True))
    assert "Fluid, predicted, and band" in [name for _, name in kinds(view)]


def test_at_the_neck_there_is_a_quarter(view: ScheduleView) -> None:
    tip = curve(view).percent
    entry(view, "At the neck").trigger()
    assert list(curve(view).percent) == pytest.approx([level / 4 for level in tip])


def test_five_outlines_a_band_and_a_long_title_are_drawn_in_both_themes(
    view: ScheduleView, themed: QApplication
) -> None:
    model = view.view_model
    model.change_day([Band("Sleep and everything that goes with it, and more", 22 * 60, 510)])
    model.show_layers(Wish(past=frozenset(record.id for record in model.past), preset="P4a", band=True, neck=True))
    for theme in (DARK, LIGHT):
        apply_theme(themed, theme)
        assert not view.timeline.grab().isNull()
    assert len(kinds(view)) == 7


# -- the patient's day -------------------------------------------------------------------------------------------------


def test_the_patients_day_is_typed_drawn_and_taken_away_part_by_part(view: ScheduleView) -> None:
    panel = view.day
    for name, start, end in (("Sleep", "22:30", "06:30"), ("Transfers", "7:00", "07:45")):
        for field, text in ((panel.name, name), (panel.start, start), (panel.end, end)):
            field.setText(text)
        panel.take()
    assert view.view_model.day == (Band("Transfers", 420, 45), Band("Sleep", 1350, 480))
    assert kinds(view)[0] == (LayerKind.BANDS, "The patient's day")
    assert [panel.list.item(row).text() for row in range(2)] == ["07:00 to 07:45: Transfers", "22:30 to 06:30: Sleep"]
    entry(view, "The patient's day").trigger()
    assert LayerKind.BANDS not in [kind for kind, _ in kinds(view)]
    panel.list.setCurrentRow(0)
    panel.take_away()
    assert [band.name for band in view.view_model.day] == ["Sleep"]


@pytest.mark.parametrize(
    ("name", "start", "end", "field"),
    [("", "22:30", "06:30", "name"), ("Sleep", "24:00", "06:30", "start"), ("Sleep", "22:30", "22:30", "end")],
)
def test_a_part_of_the_day_that_is_not_right_stays_typed(
    view: ScheduleView, name: str, start: str, end: str, field: str
) -> None:
    panel = view.day
    panel.name.setText(name)
    panel.start.setText(start)
    panel.end.setText(end)
    panel.take()
    assert view.view_model.day == ()
    assert (panel.name.text(), panel.start.text(), panel.end.text()) == (name, start, end)
    assert panel._rows[field]._is_error


def test_another_patient_has_another_day(view: ScheduleView, bench: Bench) -> None:
    model = view.view_model
    model.change_day([Band("Sleep", 1350, 480)])
    other = "patient-heetla-1"
    model.open(bench.station.prescribing.therapy(bench.station.desk.implant(other)))
    assert model.day == ()
    model.open(bench.station.prescribing.therapy(bench.station.desk.implant(FUENTE)))
    assert [band.name for band in model.day] == ["Sleep"]


# -- a low block -------------------------------------------------------------------------------------------------------


def test_four_low_hours_leave_16_to_54_per_cent_and_are_no_drug_holiday(view: ScheduleView) -> None:
    said = "After 4 h at the low rate at least 16–54 % of the level remains: not a drug holiday."
    assert view.view_model.low_block == said
    assert view.tools._note.text() == said


def test_a_block_above_the_basal_rate_is_not_low(view: ScheduleView) -> None:
    view.view_model.edit(program(HIGH), "no low block")
    assert view.view_model.low_block == ""
    assert "no measurement" in view.tools._note.text()


def test_of_several_low_blocks_the_chosen_one_is_told(view: ScheduleView) -> None:
    short = Step(60, 60, Mass.mcg(1))
    model = view.view_model
    model.edit(program(short, LOW), "two low blocks")
    assert model.low_block.startswith("After 4 h")
    model.select((Place(0, Kind.STEP, 0),))
    assert model.low_block == "After 1 h at the low rate at least 63–86 % of the level remains: not a drug holiday."
    assert view.tools._note.text() == model.low_block


def test_nothing_is_said_of_a_low_block_of_a_whole_day(view: ScheduleView) -> None:
    view.view_model.edit(program(Step(0, 1440, Mass.mcg(24))), "a low day")
    assert view.view_model.low_block == ""


# -- the bolus that a patient may call ---------------------------------------------------------------------------------


def allow(view: ScheduleView, dose: int = 20, minutes: int = 10, lockout: int = 240, most: int = 3) -> None:
    panel = view.bolus
    for field, number in (
        (panel.dose, dose), (panel.minutes, minutes), (panel.lockout, lockout), (panel.most, most),
    ):  # fmt: skip
        field.set_value(Fraction(number))
    panel.take()


def test_the_patients_bolus_goes_on_the_board_and_off_it_and_both_are_undone(view: ScheduleView) -> None:
    model, allowed = view.view_model, PatientActivated(Mass.mcg(20), 10, 240, 3)
    allow(view)
    assert model.program == replace(program(LOW, HIGH), patient_activated=allowed)
    assert "20\u00a0mcg over 10 min" in view.bolus.state.text()
    view.bolus.off.click()
    assert model.program == program(LOW, HIGH)
    model.undo()
    assert model.program is not None and model.program.patient_activated == allowed
    model.undo()
    assert model.program == program(LOW, HIGH)
    assert not view.bolus.off.isEnabled()


def test_the_rules_see_the_patients_bolus_and_its_flow_at_every_concentration(view: ScheduleView) -> None:
    model = view.view_model
    allow(view, dose=20, minutes=1)
    for concentration, too_fast in ((2000, False), (500, True)):
        chosen = next(one for one in model.concentrations if one.in_mcg_per_ml == concentration)
        model.try_concentration(chosen)
        assert model.board is not None
        said = {(found.rule, found.reason) for found in model.board.findings}
        assert (("DOS-06", "above-maximum") in said) is too_fast


def test_an_empty_field_allows_nothing_and_is_named(view: ScheduleView) -> None:
    view.bolus.take()
    assert view.view_model.program == program(LOW, HIGH)
    assert view.bolus._rows["dose"].remark() == "Type the dose of one bolus."
