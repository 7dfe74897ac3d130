"""The editing core: published schedules built by edits alone, what is refused, and a thousand random edits undone."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

import pytest

from app.models import editing
from app.models.conversion import Mode, convert
from app.models.course import Course, course_of, wished_plan
from app.models.edit_history import History
from app.models.editing import EditRefusedError, Kind, Place
from app.models.program import (
    EVERY_DAY,
    Bolus,
    DayPlan,
    Flex,
    MinimumRate,
    PatientActivated,
    PeriodicBolus,
    Program,
    SimpleContinuous,
    Step,
    Weekday,
)
from app.models.quantities import Concentration, DoseRate, Mass
from app.models.second_engine import laid_out, second_figures
from tests.models.pumps import synchromed_ii

PUMP = synchromed_ii()
AT_2000 = Concentration.mcg_per_ml(2000)
A_NG = Mass(10**15)
BOLUS, STEP = Kind.BOLUS, Kind.STEP


def mcg(value: str | int) -> Mass:
    return Mass.mcg(Fraction(value))


def rate(value: str | int) -> DoseRate:
    return DoseRate.mcg_per_day(Fraction(value))


def flex(basal: str | int = 0, *items: Bolus | Step) -> Program:
    boluses = tuple(item for item in items if isinstance(item, Bolus))
    steps = tuple(item for item in items if isinstance(item, Step))
    return Program(Flex((DayPlan(EVERY_DAY, rate(basal), boluses, steps),)))


def plans(program: Program) -> tuple[DayPlan, ...]:
    assert isinstance(program.delivery, Flex)
    return program.delivery.plans


def daily(program: Program) -> Fraction:
    """mcg a day as written, by the second engine."""
    return laid_out(program, PUMP, AT_2000, achieved=False).per_day / Mass.PER_MCG


def by_day(program: Program) -> list[Fraction]:
    """mcg on each weekday as written, by the second engine."""
    given = laid_out(program, PUMP, AT_2000, achieved=False).by_day()
    return [Fraction(amount) / Mass.PER_MCG for amount in given]


def course(program: Program) -> Course:
    return course_of(wished_plan(program, PUMP, AT_2000))


def problem_of(edit: Callable[[], object]) -> str:
    with pytest.raises(EditRefusedError) as refused:
        edit()
    return str(refused.value.values["problem"])


# Five schedules, by edits alone


def test_the_flex_program_of_de_la_fuente_is_thirteen_boluses_over_a_basal_rate() -> None:
    program = Program(SimpleContinuous(rate(1000)))
    program = convert(program, Mode.FLEX, PUMP, AT_2000, increment=None)
    program = editing.set_basal(program, 0, rate(350))
    program, place = editing.add_bolus(program, 0, Bolus(at=0, dose=mcg(50), duration_min=5))
    for _ in range(12):
        program, (place,) = editing.duplicate(program, [place], 110)
    assert len(plans(program)[0].boluses) == 13
    assert plans(program)[0].boluses[-1].at == 1320
    assert daily(program) == 1000
    assert second_figures(program, PUMP, AT_2000).achieved_daily == mcg(1000).quanta


@pytest.mark.parametrize(("every_min", "count", "total"), [(360, 4, "125.5"), (480, 3, "95.5")])
def test_the_two_programs_of_kawano_are_boluses_over_a_very_small_basal_rate(
    every_min: int, count: int, total: str
) -> None:
    program = convert(Program(SimpleContinuous(rate(400))), Mode.FLEX, PUMP, AT_2000, increment=None)
    program = editing.set_basal(program, 0, rate("5.5"))
    program, place = editing.add_bolus(program, 0, Bolus(at=0, dose=mcg(30), duration_min=5))
    for _ in range(count - 1):
        program, (place,) = editing.duplicate(program, [place], every_min)
    program = convert(program, Mode.PERIODIC, PUMP, AT_2000, increment=None)
    assert program.delivery == PeriodicBolus(rate("5.5"), mcg(30), 5, every_min)
    assert daily(program) == Fraction(total)


def test_the_drug_holiday_of_heetla_is_24_h_at_a_few_micrograms_an_hour_then_a_lower_dose() -> None:
    before = Program(SimpleContinuous(rate(575)))
    holiday = convert(before, Mode.FLEX, PUMP, AT_2000, increment=None)
    holiday = editing.give_day(holiday, Weekday.TUE, None)
    holiday, _ = editing.add_step(holiday, 1, Step(at=600, duration_min=1440, dose=mcg(72)))
    # On Tuesday 10 h at 575 a day and 14 h at 72 a day; on Wednesday 10 h at 72 and 14 h at 575.
    tuesday, wednesday = Fraction(575 * 10 + 72 * 14, 24), Fraction(72 * 10 + 575 * 14, 24)
    assert by_day(holiday) == [575, tuesday, wednesday, 575, 575, 575, 575]
    at_zero, _ = editing.set_dose(holiday, Place(1, STEP, 0), Mass.zero())
    # A step of nothing runs at the minimum rate: 0.006 mL/day at 2000 mcg/mL, 12 mcg in its 24 h.
    assert second_figures(at_zero, PUMP, AT_2000).achieved_daily * 7 == (575 * 6 + 12) * Mass.PER_MCG
    at_minimum = convert(before, Mode.MINIMUM, PUMP, AT_2000, increment=None)
    assert at_minimum.delivery == MinimumRate()
    assert daily(at_minimum) == 12
    after = editing.set_basal(before, 0, rate(300))
    assert daily(after) == 300


def test_a_weekday_program_has_five_groups() -> None:
    program = convert(Program(SimpleContinuous(rate(240))), Mode.FLEX, PUMP, AT_2000, increment=None)
    program, _ = editing.add_bolus(program, 0, Bolus(at=420, dose=mcg(20), duration_min=5))
    for day in (Weekday.MON, Weekday.WED, Weekday.FRI, Weekday.SAT):
        program = editing.give_day(program, day, None)
    program = editing.give_day(program, Weekday.SUN, 4)
    assert [plan.days for plan in plans(program)] == [(1, 3), (0,), (2,), (4,), (5, 6)]
    program, _ = editing.set_dose(program, Place(1, BOLUS, 0), mcg(30))
    program = editing.delete(program, [Place(2, BOLUS, 0)])
    program, _ = editing.add_step(program, 3, Step(at=1080, duration_min=720, dose=mcg(60)))
    program = editing.set_basal(program, 4, rate(480))
    # Friday's step is 120 a day instead of 240, 6 h on Friday; on Saturday 6 h of it instead of 480 a day.
    assert by_day(program) == [270, 260, 240, 260, 260 - 60 + 30, 480 + 20 - 120 + 30, 500]


# Single edits


def test_an_added_item_is_put_in_the_order_of_time_and_tells_its_address() -> None:
    program = flex(0, Bolus(60, mcg(1), 5), Bolus(600, mcg(3), 5))
    program, place = editing.add_bolus(program, 0, Bolus(300, mcg(2), 5))
    assert place == Place(0, BOLUS, 1)
    assert editing.item_at(program, place).dose == mcg(2)
    assert [item.at for _, item in editing.items_of(program)] == [60, 300, 600]


def test_items_move_together_round_midnight_and_steps_do_not_stand_in_each_others_way() -> None:
    program = flex(100, Step(1320, 60, mcg(1)), Step(1380, 60, mcg(2)), Bolus(1410, mcg(3), 5))
    places = [place for place, _ in editing.items_of(program)]
    moved, new = editing.move(program, places, 60)
    assert [editing.item_at(moved, place).at for place in new] == [30, 1380, 0]
    assert [editing.item_at(moved, place).dose for place in new] == [mcg(3), mcg(1), mcg(2)]
    assert problem_of(lambda: editing.move(program, [Place(0, STEP, 0)], 60)) == "overlap"


def test_a_step_keeps_its_rate_and_a_bolus_its_dose() -> None:
    program = flex(0, Step(0, 60, mcg(10)), Bolus(0, mcg(10), 60))
    longer, place = editing.resize(program, Place(0, STEP, 0), 90)
    assert editing.item_at(longer, place) == Step(0, 90, mcg(15))
    same_dose, place = editing.resize(program, Place(0, STEP, 0), 90, keep_rate=False)
    assert editing.item_at(same_dose, place) == Step(0, 90, mcg(10))
    bolus, place = editing.resize(program, Place(0, BOLUS, 0), 90)
    assert editing.item_at(bolus, place) == Bolus(0, mcg(10), 90)


def test_a_dose_worked_out_is_a_whole_number_of_nanograms_or_increments_halves_to_even() -> None:
    program = flex(0, Step(0, 7, mcg(10)))
    # 10 mcg x 8 / 7 = 11.428571... mcg
    assert editing.item_at(*editing.resize(program, Place(0, STEP, 0), 8)).dose == mcg("11.429")
    assert editing.item_at(*editing.resize(program, Place(0, STEP, 0), 8, increment=mcg("0.5"))).dose == mcg("11.5")
    assert editing.snap_dose(mcg("0.25"), mcg("0.5")) == Mass.zero()
    assert editing.snap_dose(mcg("0.75"), mcg("0.5")) == mcg(1)
    assert editing.snap_dose(mcg("1.0004"), None) == mcg(1)


def test_the_left_edge_moves_and_the_end_stays() -> None:
    program = flex(0, Step(60, 60, mcg(10)))
    earlier, place = editing.resize_start(program, Place(0, STEP, 0), -30)
    assert editing.item_at(earlier, place) == Step(1410, 150, mcg(25))
    later, place = editing.resize_start(program, Place(0, STEP, 0), 90)
    assert editing.item_at(later, place) == Step(90, 30, mcg(5))
    assert problem_of(lambda: editing.resize_start(program, Place(0, STEP, 0), 120)) == "zero-length"
    assert problem_of(lambda: editing.resize_start(program, Place(0, STEP, 0), -1321)) == "longer-than-a-day"
    by_weekday = editing.give_day(program, Weekday.SUN, None)
    assert problem_of(lambda: editing.resize_start(by_weekday, Place(1, STEP, 0), -30)) == "weekdays"


def test_a_dose_is_nudged_down_to_zero_and_no_further() -> None:
    program = flex(0, Bolus(0, mcg(1), 5))
    more, place = editing.nudge_dose(program, Place(0, BOLUS, 0), mcg("0.1"))
    assert editing.item_at(more, place).dose == mcg("1.1")
    none, place = editing.nudge_dose(program, Place(0, BOLUS, 0), -mcg(5))
    assert editing.item_at(none, place).dose == Mass.zero()
    assert problem_of(lambda: editing.set_dose(program, Place(0, BOLUS, 0), -A_NG)) == "negative"


def test_a_step_is_split_exactly_or_not_at_all() -> None:
    program = flex(0, Step(1380, 180, mcg(9)))
    halves, (first, second) = editing.split(program, Place(0, STEP, 0), 60)
    assert editing.item_at(halves, first) == Step(1380, 120, mcg(6))
    assert editing.item_at(halves, second) == Step(60, 60, mcg(3))
    # In 7 min there is 0.35 mcg: exact, but not in increments of half a microgram.
    assert problem_of(lambda: editing.split(program, Place(0, STEP, 0), 1387, increment=mcg("0.5"))) == "too-fine"
    assert problem_of(lambda: editing.split(flex(0, Step(0, 7, mcg(1))), Place(0, STEP, 0), 3)) == "too-fine"
    assert problem_of(lambda: editing.split(program, Place(0, STEP, 0), 120)) == "zero-length"
    assert problem_of(lambda: editing.split(program, Place(0, STEP, 0), 1380)) == "zero-length"
    assert editing.exact_splits(program, Place(0, STEP, 0), increment=mcg(3)) == (0, 60)
    by_weekday = editing.give_day(program, Weekday.SUN, None)
    assert problem_of(lambda: editing.split(by_weekday, Place(0, STEP, 0), 60)) == "weekdays"
    assert course(halves).per_week == course(program).per_week


def test_neighbouring_steps_are_merged_in_either_order_and_the_doses_add_up() -> None:
    program = flex(0, Step(0, 60, mcg(1)), Step(60, 30, mcg(5)), Step(1380, 60, mcg(2)))
    merged, place = editing.merge(program, Place(0, STEP, 1), Place(0, STEP, 0))
    assert editing.item_at(merged, place) == Step(0, 90, mcg(6))
    over_midnight, place = editing.merge(program, Place(0, STEP, 0), Place(0, STEP, 2))
    assert editing.item_at(over_midnight, place) == Step(1380, 120, mcg(3))
    assert problem_of(lambda: editing.merge(program, Place(0, STEP, 1), Place(0, STEP, 2))) == "not-beside"
    assert problem_of(lambda: editing.merge(program, Place(0, STEP, 1), Place(0, STEP, 1))) == "not-beside"
    by_weekday = editing.give_day(program, Weekday.SUN, None)
    assert problem_of(lambda: editing.merge(by_weekday, Place(0, STEP, 0), Place(0, STEP, 2))) == "not-beside"


def test_items_are_pasted_as_far_apart_as_they_were() -> None:
    program = flex(0, Bolus(100, mcg(1), 5), Step(160, 60, mcg(2)))
    items = editing.copied(program, [Place(0, STEP, 0), Place(0, BOLUS, 0)])
    pasted, places = editing.paste(program, 0, items, 1400)
    assert [editing.item_at(pasted, place) for place in places] == [Step(20, 60, mcg(2)), Bolus(1400, mcg(1), 5)]
    assert problem_of(lambda: editing.paste(program, 0, items, 1440)) == "not-a-time-of-day"
    assert problem_of(lambda: editing.paste(program, 1, items, 0)) == "no-such-plan"


def test_a_step_may_not_run_into_the_next_days_plan() -> None:
    program = flex(100, Step(1380, 120, mcg(5)))
    program = editing.give_day(program, Weekday.SUN, None)
    program = editing.delete(program, [Place(1, STEP, 0)])
    # Saturday's step runs until 01:00 on Sunday.
    assert problem_of(lambda: editing.add_step(program, 1, Step(30, 60, mcg(1)))) == "overlap"
    with_step, _ = editing.add_step(program, 1, Step(60, 60, mcg(1)))
    assert problem_of(lambda: editing.resize(with_step, Place(0, STEP, 0), 121)) == "overlap"


def test_a_day_may_not_be_given_where_its_steps_would_run_into_each_other() -> None:
    program = editing.give_day(flex(100), Weekday.SUN, None)
    program, _ = editing.add_step(program, 1, Step(0, 60, mcg(1)))
    program, _ = editing.add_step(program, 1, Step(1380, 60, mcg(1)))
    program, _ = editing.resize(program, Place(1, STEP, 1), 61)
    assert problem_of(lambda: editing.give_day(program, Weekday.MON, 1)) == "overlap"
    assert editing.give_day(program, Weekday.WED, 1) != program


def test_steps_that_overlap_already_may_be_put_right() -> None:
    program = flex(100, Step(0, 120, mcg(1)), Step(60, 180, mcg(1)), Step(120, 60, mcg(1)))
    program, _ = editing.move(program, [Place(0, STEP, 2)], 300)
    program, _ = editing.resize(program, Place(0, STEP, 0), 60)
    assert problem_of(lambda: editing.resize(program, Place(0, STEP, 0), 61)) == "overlap"


def test_a_day_keeps_what_it_had_until_it_is_edited_and_an_empty_plan_vanishes() -> None:
    program = editing.give_day(flex(100, Bolus(0, mcg(1), 5)), Weekday.SUN, None)
    assert [plan.days for plan in plans(program)] == [EVERY_DAY[:6], (Weekday.SUN,)]
    assert course(program).by_day() == course(flex(100, Bolus(0, mcg(1), 5))).by_day()
    assert editing.give_day(program, Weekday.SUN, None) is program
    assert plans(editing.give_day(program, Weekday.SUN, 0)) == plans(flex(100, Bolus(0, mcg(1), 5)))
    assert problem_of(lambda: editing.give_day(program, Weekday.SUN, 2)) == "no-such-plan"


def test_what_is_not_there_is_refused() -> None:
    simple = Program(SimpleContinuous(rate(100)))
    assert problem_of(lambda: editing.add_bolus(simple, 0, Bolus(0, mcg(1), 5))) == "not-flex"
    assert problem_of(lambda: editing.set_basal(simple, 1, rate(1))) == "not-flex"
    assert problem_of(lambda: editing.item_at(flex(1), Place(0, BOLUS, 0))) == "no-such-place"
    assert problem_of(lambda: editing.delete(flex(1), [Place(0, BOLUS, 0)])) == "no-such-place"
    assert problem_of(lambda: editing.set_basal(flex(1), 1, rate(1))) == "no-such-plan"
    assert problem_of(lambda: editing.add_bolus(flex(1), 0, Bolus(0, mcg(1), 0))) == "zero-length"
    assert problem_of(lambda: editing.add_step(flex(1), 0, Step(0, 1441, mcg(1)))) == "longer-than-a-day"
    both = flex(1, Bolus(0, mcg(1), 5))
    assert problem_of(lambda: editing.split(both, Place(0, BOLUS, 0), 2)) == "not-a-step"
    at_minimum = Program(MinimumRate())
    assert problem_of(lambda: editing.scale(at_minimum, Fraction(110), increment=None)) == "nothing-to-scale"
    assert problem_of(lambda: editing.scale(both, Fraction(-1), increment=None)) == "negative"


def test_scaling_rounds_each_dose_and_rate_by_itself() -> None:
    patient = PatientActivated(mcg(5), 5, 60, 4)
    program = Program(flex("100.3", Bolus(0, mcg("10.1"), 5), Step(60, 60, mcg("4.9"))).delivery, patient)
    scaled = editing.scale(program, Fraction(110), increment=mcg("0.5"))
    # 110.33, 11.11, 5.39 and 5.5 mcg
    assert plans(scaled)[0] == DayPlan(
        EVERY_DAY, rate("110.5"), (Bolus(0, mcg(11), 5),), (Step(60, 60, mcg("5.5")),)
    )
    assert scaled.patient_activated == PatientActivated(mcg("5.5"), 5, 60, 4)
    assert editing.scale(program, Fraction(100), increment=mcg("0.5")) is program
    periodic = Program(PeriodicBolus(rate(100), mcg(30), 5, 360))
    assert daily(editing.scale(periodic, Fraction(90), increment=None)) == 198


def test_a_minute_is_snapped_to_the_grid_halves_later() -> None:
    assert [editing.snap_minute(minute, 15) for minute in (7, 8, 1430, 1433)] == [0, 15, 1425, 1440]
    assert [editing.snap_minute(minute, 10) for minute in (5, 4, 1435)] == [10, 0, 1440]
    assert editing.snap_minute(77, 1) == 77


# The whole week


def rotated(old: Course, new: Course, by_min: int) -> bool:
    """Whether the new course is the old one, later by ``by_min``: the same changes of rate at later minutes."""
    later = {((minute + by_min) % 10_080, per_min) for minute, per_min in changes(old)}
    return later == changes(new) and old.per_week == new.per_week


def changes(of: Course) -> set[tuple[int, Fraction]]:
    """The minutes at which the rate changes, and to what, the week's end no other than any minute."""
    segments = [(start, per_min) for start, _, per_min in of.segments()]
    around = pairwise(segments[-1:] + segments)
    return {(start, after) for (_, before), (start, after) in around if after != before}


def test_a_bolus_that_passes_midnight_becomes_the_next_days() -> None:
    program = editing.give_day(flex(100), Weekday.SUN, None)
    program, _ = editing.add_bolus(program, 1, Bolus(1380, mcg(7), 5))
    shifted = editing.shift(program, 120)
    assert [(plan.days, plan.boluses) for plan in plans(shifted)] == [
        ((Weekday.MON,), (Bolus(60, mcg(7), 5),)),
        (EVERY_DAY[1:], ()),
    ]
    assert rotated(course(program), course(shifted), 120)
    assert sorted(plans(editing.shift(shifted, -120)), key=lambda plan: plan.days) == list(plans(program))


def test_whole_days_are_turned_with_their_basal_rates_and_parts_of_days_only_where_these_are_alike() -> None:
    program = editing.set_basal(editing.give_day(flex(100, Step(1400, 100, mcg(1))), Weekday.SUN, None), 1, rate(50))
    shifted = editing.shift(program, 1440)
    assert [plan.days for plan in plans(shifted)] == [EVERY_DAY[1:], (Weekday.MON,)]
    assert rotated(course(program), course(shifted), 1440)
    assert problem_of(lambda: editing.shift(program, 1)) == "weekdays"
    assert editing.shift(program, -7 * 1440) is program


def test_a_periodic_program_is_shifted_where_its_first_bolus_can_say_it() -> None:
    program = Program(PeriodicBolus(rate(5), mcg(30), 5, every_min=360, first_at=1200))
    for by_min in (-1300, -60, 60, 359, 400, 5000):
        assert rotated(course(program), course(editing.shift(program, by_min)), by_min)
    assert editing.shift(editing.shift(program, 60), -60) == program
    every_two_days = Program(PeriodicBolus(rate(5), mcg(30), 5, every_min=2520, first_at=1200))
    assert rotated(course(every_two_days), course(editing.shift(every_two_days, 100)), 100)
    assert problem_of(lambda: editing.shift(every_two_days, 240)) == "not-a-time-of-day"
    assert problem_of(lambda: editing.shift(Program(PeriodicBolus(rate(5), mcg(30), 5, 1000)), 1)) == "interval"


# History


def test_a_drag_is_one_undo() -> None:
    start = flex(0, Bolus(0, mcg(1), 5))
    history = History.of(start)
    for at in (10, 20, 30):
        history = history.do(editing.move(start, [Place(0, BOLUS, 0)], at)[0], f"Move to {at}", joins="drag-1")
    assert (history.undo_words, len(history.past)) == ("Move to 30", 1)
    assert history.undo().now is start
    assert history.do(start, "Back", joins="drag-1") == History.of(start)
    again = history.undo().redo().do(editing.set_basal(start, 0, rate(1)), "Basal", joins="drag-1")
    assert [edit.words for edit in again.past] == ["Move to 30", "Basal"]
    undone = history.do(flex(1), "One").undo().do(flex(2), "Two", joins="drag-1")
    assert [edit.words for edit in undone.past] == ["Move to 30", "Two"]


def test_an_equal_program_changes_nothing_and_an_edit_forgets_what_was_undone() -> None:
    history = History.of(flex(1)).do(flex(2), "Two").undo()
    assert (history.may_undo, history.may_redo, history.redo_words, history.undo_words) == (False, True, "Two", "")
    assert history.do(flex(1), "Nothing") is history
    assert not history.do(flex(3), "Three").may_redo
    assert history.undo() is history
    assert history.redo().redo() == history.redo()


# Random edits


class RandomEditor:
    """Edits as a hand would make them, good and bad, from a seed."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.refused: Counter[str] = Counter()

    def edit(self, program: Program) -> Program:
        dice = self.dice
        if not isinstance(program.delivery, Flex):
            return convert(program, Mode.FLEX, PUMP, AT_2000, increment=None)
        items = editing.items_of(program)
        plan = dice.randrange(len(program.delivery.plans))
        if not items or dice.random() < 0.3:
            return self._whole(program, plan)
        places = [place for place, _ in items]
        if len(items) > 20:
            return editing.delete(program, dice.sample(places, 8))
        return self._item(program, dice.choice(places), dice.sample(places, dice.randrange(1, len(places) + 1)))

    def _whole(self, program: Program, plan: int) -> Program:
        dice = self.dice
        match dice.randrange(13):
            case 0 | 1 | 2:
                bolus = Bolus(self._minute(), self._dose(), dice.choice((1, 5, 300)))
                return editing.add_bolus(program, plan, bolus)[0]
            case 3 | 4 | 5:
                return editing.add_step(program, plan, Step(self._minute(), self._length(), self._dose()))[0]
            case 6:
                return editing.set_basal(program, plan, rate(dice.randrange(300)))
            case 7 | 8:
                to_plan = dice.choice((None, plan, plan))
                return editing.give_day(program, Weekday(dice.randrange(7)), to_plan)
            case 9:
                patient = PatientActivated(self._dose(), 5, 60, 3) if dice.random() < 0.5 else None
                return editing.set_patient_activated(program, patient)
            case 10:
                increment = dice.choice((None, mcg("0.1"), mcg(1)))
                return editing.scale(program, Fraction(dice.randrange(80, 126)), increment=increment)
            case 11:
                by_min = dice.choice((dice.randrange(-20_000, 20_000), 1440 * dice.randrange(-9, 9)))
                shifted = editing.shift(program, by_min)
                assert rotated(course(program), course(shifted), by_min)
                return shifted
            case _:
                to = dice.choice([*Mode]) if dice.random() < 0.1 else Mode.FLEX
                return convert(program, to, PUMP, AT_2000, increment=None)

    def _item(self, program: Program, place: Place, several: list[Place]) -> Program:
        dice = self.dice
        match dice.randrange(13):
            case 0 | 1:
                return editing.move(program, several, dice.randrange(-2000, 2000))[0]
            case 2:
                return editing.resize(program, place, self._length(), keep_rate=dice.random() < 0.7)[0]
            case 3:
                at = editing.item_at(program, place).at + dice.randrange(-300, 300)
                return editing.resize_start(program, place, at)[0]
            case 4:
                return editing.set_dose(program, place, self._dose())[0]
            case 5:
                return editing.nudge_dose(program, place, A_NG * dice.randrange(-5000, 5000))[0]
            case 6 | 7:
                return self._split(program, place)
            case 8:
                return editing.merge(program, place, dice.choice(several))[0]
            case 9:
                return editing.delete(program, several[:2])
            case 10:
                return editing.duplicate(program, several[:3], dice.randrange(1, 1440))[0]
            case 11:
                to_plan = dice.randrange(len(plans(program)))
                return editing.paste(program, to_plan, editing.copied(program, several[:3]), self._minute())[0]
            case _:
                item = dice.choice((Bolus(self._minute(), self._dose(), 5), Step(self._minute(), 60, self._dose())))
                return editing.replace_item(program, place, item)[0]

    def _split(self, program: Program, place: Place) -> Program:
        exact = editing.exact_splits(program, place)
        at = self.dice.choice(exact) if exact else self._minute()
        halves, (first, second) = editing.split(program, place, at)
        try:
            merged, _ = editing.merge(halves, first, second)
        except EditRefusedError as error:
            raise AssertionError("what was split can always be merged") from error
        assert merged == program
        return halves

    def _minute(self) -> int:
        return self.dice.choice((self.dice.randrange(1440), 15 * self.dice.randrange(96)))

    def _length(self) -> int:
        return self.dice.choice((self.dice.randrange(1, 200), self.dice.randrange(0, 1500)))

    def _dose(self) -> Mass:
        return A_NG * self.dice.choice((self.dice.randrange(100_000), 100 * self.dice.randrange(500)))


def require_sound(program: Program) -> None:
    """Weekdays once each, items in order, no minute in two steps."""
    if not isinstance(program.delivery, Flex):
        return
    days = [day for plan in program.delivery.plans for day in plan.days]
    assert sorted(days) == list(Weekday)
    taken = 0
    for plan in program.delivery.plans:
        for items in (plan.boluses, plan.steps):
            assert all(one.at <= other.at for one, other in pairwise(items))
        for step in plan.steps:
            for day in plan.days:
                minutes = ((1 << step.duration_min) - 1) << (day * 1440 + step.at)
                around = minutes % (1 << 10_080) | minutes >> 10_080
                assert not taken & around
                taken |= around


def require_equal_sums(program: Program) -> None:
    """Both engines and a sum over the items: basal, boluses, steps, less the basal that steps stand in for."""
    assert course(program).per_week == laid_out(program, PUMP, AT_2000, achieved=False).per_day * 7
    if not isinstance(program.delivery, Flex):
        return
    basals = {day: plan.basal.quanta for plan in program.delivery.plans for day in plan.days}
    total = Fraction(sum(basals.values()))
    for plan in program.delivery.plans:
        for day in plan.days:
            total += sum(item.dose.quanta for item in (*plan.boluses, *plan.steps))
            for step in plan.steps:
                tomorrow = max(step.at + step.duration_min - 1440, 0)
                today = step.duration_min - tomorrow
                total -= Fraction(basals[day] * today + basals[Weekday((day + 1) % 7)] * tomorrow, 1440)
    assert course(program).per_week == total


EDITS = 1000


@pytest.mark.parametrize("seed", range(20))
def test_a_thousand_random_edits_are_sound_and_can_all_be_undone_and_done_again(seed: int) -> None:
    editor = RandomEditor(seed)
    start = Program(SimpleContinuous(rate(300)))
    history = History.of(start)
    stood = [start]
    while len(history.past) < EDITS:
        try:
            program = editor.edit(history.now)
        except EditRefusedError as error:
            editor.refused[str(error.values["problem"])] += 1
            continue
        history = history.do(program, f"Edit {len(history.past)}")
        if history.now is not stood[-1]:
            stood.append(history.now)
            require_sound(program)
            if len(stood) % 100 == 0:
                require_equal_sums(program)
    assert {"overlap", "longer-than-a-day", "zero-length", "not-a-step", "not-beside"} <= set(editor.refused)
    end = history
    for program in reversed(stood[:-1]):
        history = history.undo()
        assert history.now is program
    assert history.now is start and not history.may_undo
    while history.may_redo:
        history = history.redo()
    assert history.now is end.now
    assert [edit.words for edit in history.past] == [edit.words for edit in end.past]
