"""Each benchmark runs, in a tiny version, and says so when what it compares is not equal. Times are not judged here."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import serial

from app.device import mishaps
from app.device.frames import bench_key
from app.device.ledger import Ledger
from app.device.protocols.protocol_itbemu import register_pumps
from app.device.pump_memory import Slot
from app.device.server import PumpServer
from app.device.settings_codec import encode_settings
from app.documents.catalogue import load_catalogue
from app.models.catalogue import PumpModel
from app.models.course import Course
from app.models.findings import Severity
from app.models.guardrails_program import program_findings
from app.models.pharmacokinetics import CurveModel, curve_model, steady_state_mcg_per_ml
from app.models.pharmacokinetics import curve as step_by_step
from app.models.program import Flex, Program
from app.models.pump import LogMark, PumpSettings
from app.models.quantities import DoseRate
from benchmarks import __main__, curve, dialogue, dragging, first_paint, ten_years
from benchmarks.dialogue import DialogueFailedError, Lane, RoundTrip
from benchmarks.ten_years import Books, Span
from tests.device.pumps import SERIAL, make_server

needs_ptys = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")


class TestTenYears:
    def test_a_month_in_closed_form_is_a_month_walked_minute_by_minute(self, capsys) -> None:
        assert ten_years.main(["--days", "31", "--refill-days", "9", "--runs", "1"]) == 0
        shown = capsys.readouterr().out
        assert "45,253 minutes of 13 boluses a day, one large reservoir, 0 refills" in shown
        assert "45,253 minutes of 13 boluses a day, 40 mL, 3 refills" in shown
        assert shown.count("all equal") == 2 and "DIFFER" not in shown

    def test_ten_years_from_march_2026_have_three_leap_days(self) -> None:
        assert ten_years.TEN_YEARS == 10 * 365 + 3

    def test_a_basal_rate_that_is_one_quantum_higher_is_noticed(self, capsys) -> None:
        def higher(span: Span, settings: PumpSettings, model: PumpModel) -> Books:
            (plan,) = settings.program.delivery.plans
            plan = replace(plan, basal=DoseRate(plan.basal.quanta + 1))
            return ten_years.minute_by_minute(span, replace(settings, program=Program(Flex((plan,)))), model)

        assert ten_years.main(["--days", "2", "--refill-days", "1", "--runs", "1"], walk=higher) == 1
        shown = capsys.readouterr().out
        assert "4 figures DIFFER" in shown and "20 figures DIFFER" in shown and "minute 3493: delivered is" in shown

    def test_each_of_the_four_books_is_compared_each_time(self) -> None:
        model, span = load_catalogue().pump(ten_years.MODEL), ten_years.spans(12, 5)[1]
        books = ten_years.closed_form(span, ten_years.schedule(span.volume), model)
        assert [minute for minute, _ in books] == [6587, 13174, 17893]
        for place, (minute, ledger) in enumerate(books):
            for name in ("delivered", "believed", "physical", "physically_delivered"):
                off = replace(ledger, **{name: getattr(ledger, name) + Fraction(1, 10**9)})
                spoilt = (*books[:place], (minute, off), *books[place + 1 :])
                (found,) = ten_years.disagreements(books, spoilt)
                assert found.startswith(f"minute {minute}: {name} is ")
        assert ten_years.disagreements(books, books) == []
        assert ten_years.disagreements(books, books[:-1]) == ["the books were looked at in different minutes"]

    def test_a_day_gives_what_its_schedule_says(self) -> None:
        # 183.7 mcg basal and boluses of 4.0, 4.1, … 5.2 mcg, together 59.8 mcg: 243.5 mcg of 2000 mcg/mL.
        span = Span("a day", 1440, ten_years.spans(1, 1)[0].volume)
        model = load_catalogue().pump(ten_years.MODEL)
        for way in (ten_years.closed_form, ten_years.minute_by_minute):
            ((_, ledger),) = way(span, ten_years.schedule(span.volume), model)
            assert ledger.delivered == 121_750_000
            assert ledger.believed == 1_000_000_000_000 - 121_750_000
            assert ledger.physical + ledger.physically_delivered == 1_000_000_000_000
            assert 0 < ledger.physically_delivered < ledger.delivered * Fraction(41, 40)

    @pytest.mark.parametrize("minutes", [9505, 9515])
    def test_a_bolus_that_runs_over_the_weeks_end_is_in_both(self, minutes: int) -> None:
        # From Monday 09:30 to Sunday 23:55 and to Monday 00:05; the last bolus is given from 23:37 to 00:20.
        span = Span("inside a bolus", minutes, ten_years.spans(1, 1)[0].volume)
        model = load_catalogue().pump(ten_years.MODEL)
        settings = ten_years.schedule(span.volume)
        ((_, ledger),) = ten_years.closed_form(span, settings, model)
        assert ((minutes, ledger),) == ten_years.minute_by_minute(span, settings, model)
        # Basal, six whole days of boluses, on Sunday from 09:30 those of 4.5 to 5.1 mcg, and a part of the last.
        mcg = Fraction("183.7") * minutes / 1440 + 6 * Fraction("59.8") + Fraction("33.6")
        part = Fraction(minutes - 9505 + 18, 43)
        assert ledger.delivered == (mcg + part * Fraction("5.2")) * 500_000

    def test_a_reservoir_that_runs_empty_is_empty_in_both(self) -> None:
        span = Span("400 days of 40 mL", 400 * 1440, ten_years.spans(1, 1)[1].volume)
        model = load_catalogue().pump(ten_years.MODEL)
        books = ten_years.closed_form(span, ten_years.schedule(span.volume), model)
        assert books == ten_years.minute_by_minute(span, ten_years.schedule(span.volume), model)
        full = Fraction(40_000_000_000)
        assert books[-1][1] == Ledger(Fraction(48_700_000_000), Fraction(0), Fraction(0), full)

    @pytest.mark.parametrize("settings", [ten_years.schedule(ten_years.spans(1, 1)[1].volume), dialogue.settings(0)])
    def test_the_schedule_is_the_most_that_the_pump_allows(self, settings: PumpSettings) -> None:
        catalogue = load_catalogue()
        found = program_findings(
            settings.program, catalogue.pump(ten_years.MODEL), catalogue.drug("baclofen"), settings.concentration,
            catalogue,
        )  # fmt: skip
        assert [finding for finding in found if finding.severity is Severity.BLOCK] == []
        (plan,) = settings.program.delivery.plans
        assert len(plan.boluses) == catalogue.pump(ten_years.MODEL).max_changes_per_day == 13


class TestCurve:
    def test_ten_days_are_the_same_curve_in_every_way(self, capsys) -> None:
        assert curve.main(["--days", "10", "--month-days", "2", "--runs", "1"]) == 0
        shown = capsys.readouterr().out
        assert "14,400 minutes of 13 boluses a day, set 'label'" in shown and "set 'seed'" in shown
        assert shown.count("lfilter") == 3 and shown.count("solve_ivp, 2 days scaled") == 4
        assert "DIFFERS" not in shown

    def test_a_curve_that_is_a_minute_late_is_noticed(self, capsys) -> None:
        def late(course: Course, model: CurveModel, days: int) -> curve.Curve:
            fluid, effect = curve.closed_form(course, model, days)
            return np.roll(fluid, 1), effect

        assert curve.main(["--days", "2", "--month-days", "1", "--runs", "1"], own=late) == 1
        assert capsys.readouterr().out.count("DIFFERS") == 2

    def test_the_reference_is_the_step_by_step_solution_of_the_models(self) -> None:
        course, model = curve.schedule(), curve_model("seed", load_catalogue())
        minutes, (fluid, effect) = curve.reference(course, model, 2)
        points = list(step_by_step(model, course, hours=48, step_min=1))
        mean = float(steady_state_mcg_per_ml(model, course)) / 100
        assert minutes == list(range(2881))
        assert fluid == pytest.approx([point.fluid / mean for point in points], rel=1e-9, abs=1e-9)
        assert effect == pytest.approx([point.effect / mean for point in points], rel=1e-9, abs=1e-9)

    def test_errors_are_looked_for_in_the_first_day_the_last_and_between(self) -> None:
        minutes = curve.sampled(365)
        assert minutes[0] == 0 and minutes[-1] == 525_600 and len(minutes) > 5800
        assert {*range(1441), *range(524_160, 525_601)} < set(minutes)
        assert curve.error_of((np.array([0.0, 5.0, 1.0]), np.zeros(3)), [0, 2], (np.array([0, 3]), np.zeros(2))) == 2


@needs_ptys
class TestDialogue:
    def test_a_dialogue_is_counted_replayed_and_paced(self, capsys) -> None:
        assert dialogue.main(["--runs", "2", "--paced-runs", "1", "--baud", "96000"]) == 0
        shown = capsys.readouterr().out
        for words in (
            "Hello → Hi", "Seal → SealedIs", "Commit → CommittedIs", "14 round trips", "the order: 6 round trips",
            "raw pyserial, same bytes", "Cisterna, pump on the disk", "at 96,000 baud, 1 times",
        ):  # fmt: skip
            assert words in shown

    def test_every_byte_is_in_the_sums(self) -> None:
        with dialogue.far_end("pump") as port:
            script, _, _ = dialogue.converse(port, 0, LogMark())
        asked, sealed = [trip.name.split()[0] for trip in script], script[8]
        questions = ["Hello", "ReadProgram", "ReadStatus", "ReadEvents"]
        assert asked == [*questions, "Hello", "Begin", "Chunk", "Chunk", "Seal", "Commit", *questions]
        assert dialogue.order_in(script) == script[4:10]
        # Two delimiters, one byte of stuffing, 11 of head, 16 of nonce, 16 of code, 4 of check sum.
        assert len(script[0].sent) == 2 + 1 + 11 + 16 + 16 + 4
        assert sealed.bytes == len(sealed.sent) + len(sealed.answer) > 250
        assert all(trip.answer.startswith(b"\0") and trip.answer.endswith(b"\0") for trip in script)

    def test_an_echo_that_answers_other_bytes_is_no_rival(self, tmp_path) -> None:
        (tmp_path / "script.json").write_text('[["00aa00", "00bb00"], ["00cc00", "00dd00"]]')
        same = [RoundTrip(b"\0\xaa\0", b"\0\xbb\0"), RoundTrip(b"\0\xcc\0", b"\0\xdd\0")]
        other = [same[0], RoundTrip(b"\0\xcc\0", b"\0\xde\0")]
        with dialogue.far_end("echo", str(tmp_path / "script.json")) as port:
            assert dialogue.exchange(port, same) > 0
            with pytest.raises(DialogueFailedError, match="other bytes"):
                dialogue.exchange(port, other)

    def test_a_line_that_is_faster_than_itself_is_complained_of(self) -> None:
        script = [RoundTrip(b"\0\xaa\0", b"\0\xbb\0")]
        measured = dialogue.Measured(script, [1.0], [1.0], [1.0], [(3.5, 3.49)], 9600)
        assert dialogue.complaints(measured) == []
        (leaking,) = dialogue.complaints(replace(measured, paced=[(3.5, 3.49), (3.4, 3.49)]))
        assert "3.4000 s" in leaking and "3.4900 s" in leaking


class Forgetful(PumpServer):
    """Loses its memory after each commit, and says so with a new revision."""

    def feed(self, arrived: bytes) -> bytes:
        answer = super().feed(arrived)
        if self.heard[-1] == "Commit":
            self.forget()
        return answer

    def forget(self) -> None:
        mishaps.lose_memory(self.pump)


class Deceitful(Forgetful):
    """Runs another program after each commit, under the same revision."""

    def forget(self) -> None:
        memory = self.pump.memory
        other = Slot.of(memory.slot.revision, encode_settings(dialogue.settings(98)))
        self.pump.keep(replace(memory, slots=(other, other)))


class TestConversation:
    @pytest.fixture
    def converse(self) -> Iterator[Callable[[type[PumpServer]], tuple[list[RoundTrip], LogMark, float]]]:
        def with_pump(kind: type[PumpServer]) -> tuple[list[RoundTrip], LogMark, float]:
            register_pumps(lambda number, _options: kind(make_server().pump, bench_key(number)))
            return dialogue.converse(f"itbemu://{SERIAL}", 0, LogMark())

        before = list(serial.protocol_handler_packages)
        yield with_pump
        register_pumps(None)
        serial.protocol_handler_packages[:] = before

    def test_a_pump_that_runs_what_it_was_told_is_measured(self, converse) -> None:
        script, mark, _ = converse(PumpServer)
        assert (len(script), mark.number) == (14, 4)

    @pytest.mark.parametrize(("kind", "revision"), [(Forgetful, 3), (Deceitful, 2)])
    def test_a_pump_that_runs_something_else_fails_the_benchmark(self, converse, kind, revision: int) -> None:
        with pytest.raises(DialogueFailedError, match=f"revision 1, then {revision}"):
            converse(kind)


class TestLane:
    """A byte takes a quarter of a second."""

    def test_a_byte_arrives_when_its_last_bit_has_passed(self) -> None:
        lane = Lane(0.25)
        lane.put(b"abc", 10.0)
        arrivals = [lane.take(at) for at in (10.0, 10.24, 10.25, 10.5, 10.74, 10.75, 11.0)]
        assert arrivals == [b"", b"", b"a", b"b", b"", b"c", b""]

    def test_what_is_put_behind_waits_for_its_turn(self) -> None:
        lane = Lane(0.25)
        lane.put(b"ab", 10.0)
        lane.put(b"cd", 10.375)
        assert [lane.take(at) for at in (10.625, 10.75, 10.99, 11.0)] == [b"ab", b"c", b"", b"d"]

    def test_an_idle_line_saves_up_no_time(self) -> None:
        lane = Lane(0.25)
        lane.put(b"a", 10.0)
        assert lane.take(10.25) == b"a"
        lane.put(b"b", 50.0)
        assert [lane.take(50.125), lane.take(50.25)] == [b"", b"b"]

    def test_a_byte_that_was_fetched_late_does_not_delay_the_next(self) -> None:
        lane = Lane(0.25)
        lane.put(b"abcd", 10.0)
        assert [lane.take(10.3), lane.take(10.5)] == [b"a", b"b"]

    def test_one_looks_again_at_the_next_byte_and_never_at_an_idle_line(self) -> None:
        lane = Lane(0.25)
        assert lane.due(9.0) is None
        lane.put(b"ab", 10.0)
        assert lane.due(10.0) == 10.25
        assert lane.due(12.0) == 12.0
        lane.take(12.0)
        assert lane.due(12.0) is None

    def test_fast_bytes_are_looked_at_in_buckets_of_4_ms_but_the_last_one_at_once(self) -> None:
        lane = Lane(0.001)
        lane.put(bytes(10), 0.0)
        looks, now = [], 0.0
        while (at := lane.due(now)) is not None:
            looks.append(len(lane.take(at + 1e-9)))
            now = at
        assert looks == [4, 4, 2]


class TestCommand:
    def test_each_benchmark_has_a_name(self, capsys) -> None:
        assert __main__.BENCHMARKS == {
            "first-paint": "first_paint", "dialogue": "dialogue", "ten-years": "ten_years", "curve": "curve",
            "dragging": "dragging",
        }  # fmt: skip
        assert __main__.main(["second-paint"]) == 2
        assert "first-paint, dialogue, ten-years, curve, dragging" in capsys.readouterr().err

    def test_all_run_without_a_name_and_one_that_fails_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        ran: list[tuple[str, list[str]]] = []
        codes = {first_paint: 0, dialogue: 1, ten_years: 0, curve: 0, dragging: 0}
        for module, code in codes.items():
            name = module.__name__
            monkeypatch.setattr(module, "main", lambda rest, name=name, code=code: ran.append((name, rest)) or code)
        assert __main__.main([]) == 1
        assert __main__.main(["ten-years", "--days", "3"]) == 0
        names = [name.rpartition(".")[2] for name, _ in ran]
        assert names == ["first_paint", "dialogue", "ten_years", "curve", "dragging", "ten_years"]
        assert [rest for _, rest in ran] == [[], [], [], [], [], ["--days", "3"]]


class TestDragging:
    def test_every_way_paints_a_frame_for_every_event(self, qtbot, capsys) -> None:
        assert dragging.main(["--moves", "3"]) == 0
        shown = capsys.readouterr().out
        for words in ("bare widget", "pyqtgraph", "timeline alone", "totals, rules, curve", "whole schedule page"):
            assert words in shown
        assert "3 moves of one of 48 steps" in shown

    def test_a_page_that_does_not_follow_the_mouse_is_noticed(self, qtbot, capsys) -> None:
        class Deaf(dragging.SmallPage):
            def show_program(self, program: Program, *words: str) -> None:
                if not words:
                    super().show_program(program)

        assert dragging.main(["--moves", "3"], small_page=Deaf) == 1
        assert "A frame is missing: timeline, totals, rules, curve: 720 before and 720 after" in capsys.readouterr().err

    def test_p99_is_the_time_that_99_of_100_frames_keep(self) -> None:
        frames = dragging.Frames(None, [float(number) for number in range(1, 101)])
        assert (frames.p50, frames.p99) == (50.5, 99.0)
        assert dragging.Frames(None, [3.0]).p99 == 3.0


class TestFirstPaint:
    @pytest.mark.parametrize("script", ["_BARE", "_CISTERNA"])
    def test_a_window_is_painted_and_tells_its_memory(self, tmp_path, script: str) -> None:
        seconds, mebibytes = first_paint._measure(getattr(first_paint, script), str(tmp_path / "clinic"))
        assert seconds > 0 and mebibytes > 1

    def test_what_counts_is_the_ratio_of_the_medians_without_the_first_run(self, monkeypatch, capsys) -> None:
        measured = iter([(9.0, 9.0), (9.0, 900.0), (0.1, 50.0), (0.3, 150.0), (0.2, 50.0), (0.6, 100.0)])
        monkeypatch.setattr(first_paint, "_measure", lambda *_: next(measured))
        assert first_paint.main(["--runs", "2"]) == 0
        assert capsys.readouterr().out.splitlines()[-1].split() == ["ratio", "3.00", "2.50"]
