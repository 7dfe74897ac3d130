"""The emulated NE-1000, unmodified NESP-Lib and a raw client against it, and programs played through both.

Figures: the bore of a 10 mL syringe, 14.5 mm, has an area of 165.13 mm²; a step of 0.831 µm then moves 0.13722 µL.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import nesp_lib
import pytest
import serial
from hypothesis import given, settings
from hypothesis import strategies as st

from app.device.syringe_bench import serve_syringe_pump
from app.device.syringe_frames import basic_packet, safe_packet
from app.device.syringe_numbers import Syringe, cut, cut_up, read_number, show
from app.device.syringe_player import (
    Account,
    Pace,
    Portion,
    SyringeAstrayError,
    SyringePlayer,
    SyringeTooSlowError,
    portions_of,
)
from app.device.syringe_pump import (
    SyringeAlarmError,
    SyringeCable,
    SyringeGarbledError,
    SyringePump,
    SyringeRefusedError,
    SyringeSilentError,
    farewell_to,
)
from app.device.syringe_responder import SyringeResponder
from app.models.course import Course, WeekPlan, course_of
from app.models.quantities import Concentration, DoseRate, Mass
from app.syringe import _read_course

FLEX: dict[str, Any] = {
    "kind": "program",
    "pump": {"model": "synchromed-ii-40"},
    "reservoir": {
        "drug": "baclofen",
        "concentration_mcg_per_ml": "2000",
        "volume_ml": "38",
        "filled_at": "2026-03-02T09:30",
    },
    "program": {
        "mode": "flex",
        "basal_mcg_per_day": "350",
        "boluses": [{"at": "07:00", "dose_mcg": "50", "duration_min": 5}],
        "steps": [{"at": "22:00", "duration_min": 480, "dose_mcg": "160"}],
    },
}
FLEX_UL = Fraction(665, 3)
"""16 h of 350 mcg/day are 233 1/3 mcg; with 50 and 160 mcg 443 1/3 mcg, of 2 mcg in each microlitre."""


class Clock:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.now_s = Fraction(1000)

    def __call__(self) -> Fraction:
        return self.now_s

    def wait(self, seconds: Fraction | int) -> None:
        """In whole nanoseconds, as a computer's clock has them."""
        self.now_s += Fraction(-(-seconds * 10**9 // 1), 10**9)


class Loop:
    """NESP-Lib's port to a pump in this process."""

    def __init__(self, pump: SyringeResponder) -> None:
        self._pump = pump
        self._arrived = b""
        self._parted = False
        self.cut = False

    def _transmit(self, data: bytes) -> None:
        if self._parted:
            self._arrived = farewell_to(data)
        elif not self.cut:
            self._arrived = self._pump.feed(data)

    def _receive(self, data_length: int) -> bytes:
        if len(self._arrived) < data_length:
            raise SyringeSilentError(port="loop", problem="no answer")
        said, self._arrived = self._arrived[:data_length], self._arrived[data_length:]
        return said

    @property
    def _waiting_receive(self) -> int:
        return len(self._arrived)

    def part(self) -> None:
        self._parted = True


class Raw:
    """A client of our own making that speaks Basic mode by hand."""

    def __init__(self, pump: SyringeResponder) -> None:
        self.pump = pump
        self.say("")

    def say(self, command: str) -> str:
        answer = self.pump.feed(command.encode() + b"\r")
        assert answer[:1] == b"\x02" and answer[-1:] == b"\x03", answer
        return answer[1:-1].decode()

    def say_all(self, *commands: str) -> None:
        for command in commands:
            assert "?" not in self.say(command), command


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pump(clock: Clock) -> SyringeResponder:
    return SyringeResponder(clock)


QUICK = Fraction(3600)


@pytest.fixture
def quick(clock: Clock) -> SyringeResponder:
    """A pump whose motor lives an hour in each second."""
    return SyringeResponder(clock, speed=QUICK)


@pytest.fixture
def raw(pump: SyringeResponder) -> Raw:
    return Raw(pump)


class TestNumbers:
    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            ("0", "0.000"),
            ("0.8319", "0.831"),
            ("9.9999", "9.999"),
            ("10", "10.00"),
            ("99.999", "99.99"),
            ("123.45", "123.4"),
            ("9999.9", "9999."),
        ],
    )
    def test_four_digits_and_a_point_are_shown_and_the_rest_is_cut(self, value: str, shown: str) -> None:
        assert show(Fraction(value)) == shown

    def test_cutting_goes_down_and_cutting_up_goes_up(self) -> None:
        assert (cut(Fraction("12.349")), cut_up(Fraction("12.341"))) == (Fraction("12.34"), Fraction("12.35"))
        assert cut(Fraction("12.34")) == cut_up(Fraction("12.34")) == Fraction("12.34")

    @pytest.mark.parametrize("text", ["", ".", "12345", "1.2345", "1.2.3", "-1", "1e3", "١"])
    def test_what_is_no_number_of_four_digits_is_none(self, text: str) -> None:
        assert read_number(text) is None

    @pytest.mark.parametrize(("text", "value"), [("1234.", 1234), (".5", Fraction(1, 2)), ("0.001", Fraction(1, 1000))])
    def test_a_point_may_stand_anywhere(self, text: str, value: Fraction) -> None:
        assert read_number(text) == value

    def test_the_limits_follow_from_bore_and_speed(self) -> None:
        """0.73 µL/h with a 1 mL and 1699 mL/h with a 60 mL syringe: unverified, see docs/syringe-pumps.md."""
        assert round(Syringe(Fraction("4.7")).slowest_ul_per_min * 60, 2) == Fraction("0.73")
        assert round(Syringe(Fraction("26.59")).fastest_ul_per_min * 60 / 1000) == 1699

    def test_a_step_moves_bore_times_travel(self) -> None:
        assert round(Syringe(Fraction("14.5")).increment_ul, 5) == Fraction("0.13722")


class TestBasicMode:
    def test_the_first_answer_after_power_comes_on_is_the_alarm(self, pump: SyringeResponder) -> None:
        assert pump.feed(b"DIA\r") == b"\x0200A?R\x03"
        assert pump.feed(b"DIA\r") == b"\x0200S14.50\x03"

    def test_spaces_controls_and_small_letters_do_not_matter(self, raw: Raw) -> None:
        assert raw.say("\n d i a\t20.5 ") == "00S"
        assert raw.say("00dia") == "00S20.50"

    @pytest.mark.parametrize(
        ("command", "answer"),
        [
            ("", "00S"),
            ("VER", "00SNE1000V3.928"),
            ("RAT", "00S0.000MH"),
            ("VOL", "00S0.000ML"),
            ("DIR", "00SINF"),
            ("DIS", "00SI0.000W0.000ML"),
            ("PHN", "00S1"),
            ("FUN", "00SRAT"),
            ("SAF", "00S0"),
            ("*ADR", "00S0"),
            ("BP", "00S0"),
            ("FOO", "00S?"),
            ("VERX", "00S?"),
            ("STP", "00S?NA"),
            ("RUN", "00S?OOR"),
            ("RUN 42", "00S?OOR"),
            ("DIA 50.1", "00S?OOR"),
            ("DIA 0.09", "00S?OOR"),
            ("DIA x", "00S?OOR"),
            ("RAT 6.9 UH", "00S?OOR"),
            ("RAT 6.95 UH", "00S"),
            ("RAT 505.3 MH", "00S"),
            ("RAT 505.4 MH", "00S?OOR"),
            ("RAT MH", "00S?OOR"),
            ("VOL 1.2345", "00S?OOR"),
            ("VOL UL", "00S"),
            ("DIR UP", "00S?OOR"),
            ("CLD", "00S?OOR"),
            ("SAF 256", "00S?OOR"),
            ("FUN FOO", "00S?OOR"),
            ("PHN 0", "00S?OOR"),
            ("AL 2", "00S?OOR"),
            ("DIS 1", "00S?"),
        ],
    )
    def test_a_pump_at_rest_answers(self, raw: Raw, command: str, answer: str) -> None:
        """Limits for 14.5 mm: 165.13 mm² times 0.04205 mm/h is 6.944 µL/h, times 3060.3 mm/h 505.35 mL/h."""
        assert raw.say(command) == answer

    def test_units_follow_the_bore_until_they_are_set(self, raw: Raw) -> None:
        raw.say_all("DIA 14")
        assert raw.say("VOL") == "00S0.000UL"
        raw.say_all("DIA 14.01")
        assert raw.say("VOL") == "00S0.000ML"

    def test_a_run_ends_on_the_last_whole_step_within_its_volume(self, raw: Raw, clock: Clock) -> None:
        """10 µL hold 72 steps, 9.8801 µL; at 600 µL/h that takes 59.3 s."""
        raw.say_all("VOL UL", "VOL 10", "RAT 600 UH")
        assert raw.say("RUN") == "00I"
        clock.wait(59)
        assert raw.say("") == "00I"
        clock.wait(1)
        assert raw.say("DIS") == "00SI9.880W0.000UL"
        assert raw.pump.infused_ul == 72 * Syringe(Fraction("14.5")).increment_ul

    def test_what_does_not_fit_a_running_pump_is_not_applicable(self, raw: Raw) -> None:
        raw.say_all("RAT 600 UH", "RUN")
        for command in ("DIA 10", "VOL 5", "RUN", "PUR", "CLD INF", "PHN 2", "FUN STP", "RAT 10 MH"):
            assert raw.say(command) == "00I?NA", command

    def test_rate_and_direction_change_while_it_pumps(self, raw: Raw, clock: Clock) -> None:
        """600 then 1200 µL/h for 6 s each are 3 µL: 21 whole steps, 2.8816 µL."""
        raw.say_all("VOL UL", "RAT 600 UH", "RUN")
        clock.wait(6)
        raw.say_all("RAT 1200")
        clock.wait(6)
        assert raw.say("DIS") == "00II2.881W0.000UL"
        assert raw.say("DIR REV") == "00W"
        clock.wait(6)
        assert raw.say("DIS") == "00WI2.881W1.921UL"

    def test_stop_pauses_first_and_ends_then(self, raw: Raw, clock: Clock) -> None:
        raw.say_all("VOL UL", "VOL 10", "RAT 600 UH", "RUN")
        clock.wait(30)
        assert raw.say("STP") == "00P"
        clock.wait(1000)
        assert raw.say("RUN") == "00I"
        clock.wait(30)
        assert raw.say("DIS") == "00SI9.880W0.000UL"
        raw.say_all("RUN", "STP")
        assert raw.say("STP") == "00S"

    def test_a_counter_is_cleared_alone(self, raw: Raw, clock: Clock) -> None:
        raw.say_all("VOL UL", "VOL 10", "RAT 600 UH", "RUN")
        clock.wait(60)
        raw.say_all("DIR WDR", "RUN")
        clock.wait(60)
        raw.say_all("CLD INF")
        assert raw.say("DIS") == "00SI0.000W9.880UL"
        raw.say_all("CLD WDR")
        assert raw.say("DIS") == "00SI0.000W0.000UL"

    def test_a_counter_begins_again_after_four_digits(self, raw: Raw, clock: Clock) -> None:
        """1000 µL/min for 601 s are 72,995 steps of 0.1372230 µL, 10,016.59 µL."""
        raw.say_all("VOL UL", "RAT 60 MH", "RUN")
        clock.wait(601)
        assert raw.say("DIS") == "00II16.59W0.000UL"

    def test_purging_goes_as_fast_as_it_can_until_it_is_stopped(self, raw: Raw, clock: Clock) -> None:
        """165.13 mm² times 51.005 mm/min is 8.4224 mL in a minute."""
        assert raw.say("PUR") == "00X"
        clock.wait(60)
        assert raw.say("DIS") == "00XI8.422W0.000ML"
        assert raw.say("STP") == "00S"

    def test_phases_follow_each_other_with_pauses_and_a_wait_for_the_user(self, raw: Raw, clock: Clock) -> None:
        raw.say_all("VOL UL", "VOL 10", "RAT 600 UH")
        raw.say_all("PHN 2", "FUN PAS 10", "PHN 3", "FUN PAS 0", "PHN 4", "FUN RAT", "RAT 300 UH", "VOL 1", "DIR WDR")
        assert raw.say("PHN 2") == "00S" and raw.say("FUN") == "00SPAS10"
        raw.say_all("RUN")
        clock.wait(65)
        assert raw.say("") == "00T"
        clock.wait(10)
        assert raw.say("") == "00U"
        clock.wait(1000)
        assert raw.say("RUN") == "00W"
        clock.wait(20)
        assert raw.say("DIS") == "00SI9.880W0.960UL"

    def test_a_program_that_runs_off_its_end_or_into_a_bad_phase_is_an_alarm(self, raw: Raw, clock: Clock) -> None:
        raw.say_all("PHN 41", "FUN RAT", "RAT 600 UH", "VOL UL", "VOL 1", "RUN 41")
        clock.wait(60)
        assert raw.say("") == "00A?O"
        raw.say_all("PHN 2", "FUN RAT", "PHN 1", "RAT 600 UH", "VOL 1", "RUN")
        clock.wait(60)
        assert raw.say("") == "00A?E"

    def test_a_change_at_the_very_start_of_a_phase_is_ignored(self, raw: Raw, clock: Clock) -> None:
        raw.say_all("VOL UL", "VOL 10", "RAT 600 UH", "PHN 2", "FUN RAT", "RAT 600 UH", "RUN")
        clock.wait(72 * Syringe(Fraction("14.5")).increment_ul / 10 * 60 + Fraction(1, 1000))
        raw.say_all("")
        assert raw.say("RAT 700") == "00I?IGN"
        clock.wait(Fraction(1, 50))
        assert raw.say("RAT 700") == "00I"

    def test_an_alarm_is_told_once_and_in_place_of_the_answer(self, raw: Raw) -> None:
        raw.say_all("RAT 600 UH", "RUN")
        raw.pump.stall()
        assert raw.pump.tick() == b""
        assert raw.say("DIA 20") == "00A?S"
        assert raw.say("DIA") == "00S14.50"

    def test_power_that_fails_stops_the_pump_and_clears_its_counters(self, raw: Raw, clock: Clock) -> None:
        raw.say_all("RAT 600 UH", "RUN")
        clock.wait(60)
        raw.pump.cut_power()
        assert raw.say("DIS") == "00A?R"
        assert raw.say("DIS") == "00SI0.000W0.000ML"
        assert raw.say("RAT") == "00S600.0UH"

    def test_a_pump_hears_its_own_address_only(self, raw: Raw, pump: SyringeResponder) -> None:
        assert raw.say("*ADR 7") == "07S"
        assert pump.feed(b"DIA\r") == pump.feed(b"8DIA\r") == b""
        assert raw.say("07DIA") == "07S14.50"
        assert raw.say("*RESET") == "00A?R"


class TestSafeMode:
    def test_the_packet_of_the_manual_comes_out(self) -> None:
        """Source: manual 1200-01, 10.2.2: how to go back to Basic mode."""
        assert safe_packet("SAF0") == b"\x02\x08SAF0\x55\x43\x03"

    @pytest.fixture
    def safe(self, raw: Raw) -> SyringeResponder:
        assert raw.pump.feed(b"SAF 10\r") == safe_packet("00S")
        return raw.pump

    def test_each_answer_is_a_safe_packet_and_lines_are_noise(self, safe: SyringeResponder) -> None:
        assert safe.feed(b"DIA\r") == b""
        assert safe.feed(safe_packet("DIA")) == safe_packet("00S14.50")

    def test_zero_goes_back_to_basic_mode(self, safe: SyringeResponder) -> None:
        assert safe.feed(safe_packet("SAF0") + b"DIA\r") == basic_packet("00S") + basic_packet("00S14.50")

    def test_every_single_wrong_bit_is_found(self, safe: SyringeResponder, clock: Clock) -> None:
        safe.feed(safe_packet("SAF255"))
        packet = safe_packet("DIA20.5")
        for bit in range(8 * len(packet)):
            spoilt = bytearray(packet)
            spoilt[bit // 8] ^= 1 << bit % 8
            assert safe.feed(bytes(spoilt)) in (b"", safe_packet("00S?COM"))
            clock.wait(1)
        assert safe.feed(safe_packet("DIA")) == safe_packet("00S14.50")

    def test_a_packet_that_pauses_half_a_second_is_forgotten(self, safe: SyringeResponder, clock: Clock) -> None:
        packet = safe_packet("DIA")
        safe.feed(packet[:3])
        clock.wait(Fraction(1, 2))
        assert safe.feed(packet[3:]) == safe_packet("00S14.50")
        safe.feed(packet[:3])
        clock.wait(Fraction(51, 100))
        assert safe.feed(packet[3:]) == b""
        assert safe.feed(packet) == safe_packet("00S14.50")

    def test_silence_stops_the_pump_with_an_alarm_that_comes_unasked(
        self, safe: SyringeResponder, clock: Clock
    ) -> None:
        safe.feed(safe_packet("RAT600UH") + safe_packet("RUN"))
        clock.wait(Fraction(99, 10))
        assert safe.tick() == b""
        clock.wait(Fraction(1, 10))
        assert safe.tick() == safe_packet("00A?T")
        assert safe.tick() == b""
        assert safe.feed(safe_packet("RUN")) == safe_packet("00A?T")
        assert safe.feed(safe_packet("")) == safe_packet("00S")

    def test_the_time_out_lives_in_real_time_when_the_motor_does_not(self, clock: Clock) -> None:
        quick = SyringeResponder(clock, speed=Fraction(3600))
        quick.feed(b"\rSAF 10\r" + safe_packet("VOL0") + safe_packet("RAT600UH") + safe_packet("RUN"))
        clock.wait(9)
        assert quick.feed(safe_packet("DIS")) == safe_packet("00II5.399W0.000ML")

    def test_a_stall_is_told_unasked_and_must_still_be_acknowledged(self, safe: SyringeResponder) -> None:
        safe.stall()
        assert safe.tick() == safe_packet("00A?S")
        assert safe.feed(safe_packet("DIA20")) == safe_packet("00A?S")
        assert safe.feed(safe_packet("DIA")) == safe_packet("00S14.50")


DIALOGUE = (
    b"\rdia 14.5\rVOL UL\rVOL 10\rRAT 600 UH\rRUN\rFOO\rSAF 5\r"
    + safe_packet("DIS")
    + safe_packet("STP")
    + b"\x02\x03noise"
    + safe_packet("STP")
    + safe_packet("SAF0")
    + b"*ADR 3\r3VER\r"
)
COMMANDS = ["DIA", "PHN", "FUN", "RAT", "VOL", "DIR", "RUN", "PUR", "STP", "DIS", "CLD", "SAF", "VER", "AL", "*ADR", ""]
WORDS = ["", "1", "0", "41", "99.99", "INF", "WDR", "REV", "UL", "ML", "600UH", "10MM", "PAS3", "PAS0", "RAT", "X", "²"]


class TestAnyBytes:
    def test_a_dialogue_reads_the_same_wherever_it_is_split(self, clock: Clock) -> None:
        whole = SyringeResponder(clock).feed(DIALOGUE)
        assert whole.count(b"\x03") >= 14
        for place in range(1, len(DIALOGUE)):
            pump = SyringeResponder(clock)
            assert pump.feed(DIALOGUE[:place]) + pump.feed(DIALOGUE[place:]) == whole
        pump = SyringeResponder(clock)
        assert b"".join(pump.feed(bytes([byte])) for byte in DIALOGUE) == whole

    @settings(max_examples=100, deadline=None)
    @given(st.lists(st.tuples(st.binary(max_size=40), st.integers(0, 20)), max_size=8))
    def test_no_bytes_raise(self, pieces: list[tuple[bytes, int]]) -> None:
        clock = Clock()
        pump = SyringeResponder(clock)
        for piece, seconds in pieces:
            pump.feed(piece)
            clock.wait(seconds)
            pump.tick()
        clock.wait(1)
        assert b"\x03" in pump.feed(safe_packet("")) + pump.feed(b"\r") + pump.feed(safe_packet("*RESET"))

    @settings(max_examples=100, deadline=None)
    @given(
        st.lists(
            st.tuples(st.sampled_from(COMMANDS), st.sampled_from(WORDS), st.booleans(), st.integers(0, 30)),
            max_size=30,
        )
    )
    def test_no_order_of_commands_raises_or_counts_what_did_not_flow(
        self, commands: list[tuple[str, str, bool, int]]
    ) -> None:
        clock = Clock()
        pump = SyringeResponder(clock)
        for name, words, safe, seconds in commands:
            text = name + words
            pump.feed(safe_packet(text) if safe and text.isascii() else text.encode() + b"\r")
            clock.wait(seconds)
        assert pump.infused_ul >= 0


@contextmanager
def on_a_pty(pump: SyringeResponder, stalls_at_ul: Fraction | None = None) -> Iterator[str]:
    """Serve a pump on a pseudo-terminal and give its name."""
    stop, ready, names = threading.Event(), threading.Event(), []

    def announce(words: str) -> None:
        names.append(words.removeprefix("listening on "))
        ready.set()

    def serve() -> None:
        serve_syringe_pump(pump, announce=announce, stop=stop, stalls_at_ul=stalls_at_ul)

    bench = threading.Thread(target=serve)
    bench.start()
    try:
        assert ready.wait(5)
        yield names[0]
    finally:
        stop.set()
        bench.join()


def heartbeats() -> list[threading.Thread]:
    """The library's heartbeat threads that still run."""
    return [thread for thread in threading.enumerate() if "(__heartbeat)" in thread.name]


def real_s() -> Fraction:
    return Fraction(time.monotonic_ns(), 10**9)


needs_ptys = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")


@needs_ptys
class TestUnmodifiedLibrary:
    """NESP-Lib with its own port, as its documentation shows it."""

    @pytest.mark.parametrize("patience_s", [0, 1])
    def test_it_sets_runs_and_reads_the_pump(self, patience_s: int) -> None:
        with on_a_pty(SyringeResponder(real_s, speed=Fraction(600))) as name, nesp_lib.Port(name, 19_200) as port:
            pump = nesp_lib.Pump(port, model_number=1000, safe_mode_timeout_s=patience_s)
            assert (pump.model_number, pump.firmware_version, pump.safe_mode_timeout_s) == (1000, (3, 928), patience_s)
            pump.syringe_diameter_mm = 14.5
            pump.pumping_direction = nesp_lib.PumpingDirection.INFUSE
            pump.pumping_volume_ml = 0.01
            pump.pumping_rate_ml_per_min = 0.01
            assert (pump.syringe_diameter_mm, pump.pumping_volume_ml, pump.pumping_rate_ml_per_min) == (
                14.5,
                0.01,
                0.01,
            )
            pump.run()
            assert pump.volume_infused_ml == pytest.approx(0.00988)
            pump.pumping_direction = nesp_lib.PumpingDirection.WITHDRAW
            pump.run()
            assert (pump.volume_infused_ml, pump.volume_withdrawn_ml) == pytest.approx((0.00988, 0.00988))
            pump.volume_infused_clear()
            assert (pump.volume_infused_ml, pump.status) == (0, nesp_lib.Status.STOPPED)
            with pytest.raises(ValueError, match="exceeds"):
                pump.pumping_rate_ml_per_min = 9.0
            with pytest.raises(nesp_lib.StateException):
                pump.stop()
            pump.safe_mode_timeout_s = 0

    def test_its_heartbeat_keeps_a_safe_pump_running(self) -> None:
        with on_a_pty(SyringeResponder(real_s)) as name, nesp_lib.Port(name) as port:
            pump = nesp_lib.Pump(port, safe_mode_timeout_s=1)
            pump.pumping_volume_ml = 0.1
            pump.pumping_rate_ml_per_min = 1.0 / 60
            pump.run(wait_while_running=False)
            time.sleep(1.3)
            assert pump.status is nesp_lib.Status.INFUSING
            pump.stop(wait_while_running=False)
            pump.safe_mode_timeout_s = 0

    def test_it_names_an_alarm(self) -> None:
        responder = SyringeResponder(real_s)
        with on_a_pty(responder) as name, nesp_lib.Port(name) as port:
            pump = nesp_lib.Pump(port)
            responder.stall()
            with pytest.raises(nesp_lib.StatusAlarmException) as alarm:
                pump.run()
            assert alarm.value.alarm_status is nesp_lib.AlarmStatus.STALLED


@needs_ptys
def test_a_raw_client_drives_the_pump_over_a_pty() -> None:
    with on_a_pty(SyringeResponder(real_s)) as name, serial.Serial(name, 19_200, timeout=2) as port:
        answers = []
        for command in (b"VER\r", b"VER\r", b"DIA 20\r", b"SAF 5\r"):
            port.write(command)
            answers.append(port.read_until(b"\x03"))
        assert answers[:3] == [b"\x0200A?R\x03", b"\x0200SNE1000V3.928\x03", b"\x0200S\x03"]
        assert answers[3] == safe_packet("00S")


@needs_ptys
def test_a_pump_that_vanishes_from_its_cable_is_silent_and_leaves_no_heartbeat_behind() -> None:
    with on_a_pty(SyringeResponder(real_s)) as name:
        pump = SyringePump(SyringeCable(name, 19_200), diameter_mm=Fraction("14.5"))
        assert not pump.is_pumping()
    with pytest.raises(SyringeSilentError):
        pump.is_pumping()
    pump.leave()
    assert not heartbeats()


def flex(tmp_path: Path) -> tuple[Course, Concentration]:
    file = tmp_path / "flex.json"
    file.write_text(json.dumps(FLEX))
    return _read_course(str(file))


def played(
    clock: Clock,
    pump: SyringeResponder,
    portions: tuple[Portion, ...],
    *,
    diameter: str = "14.5",
    pace: Pace | None = None,
) -> tuple[Account, list[Account]]:
    accounts: list[Account] = []
    syringe = Syringe(Fraction(diameter))
    driven = SyringePump(Loop(pump), diameter_mm=syringe.diameter_mm)
    player = SyringePlayer(
        driven, syringe, pace or Pace(QUICK, QUICK), clock_s=clock, sleep_s=clock.wait, tell=accounts.append
    )
    return player.play(portions), accounts


class TestPortions:
    def test_they_give_the_whole_program_and_never_more_than_an_hour_or_fifty_microlitres(self, tmp_path: Path) -> None:
        portions = portions_of(*flex(tmp_path), start_min=0, hours=24)
        assert portions[-1].owed_ul == sum(portion.volume_ul for portion in portions) == FLEX_UL
        assert [portion.begins_min for portion in portions[1:]] == [portion.ends_min for portion in portions[:-1]]
        assert (portions[0].begins_min, portions[-1].ends_min) == (0, 1440)
        assert max(portion.ends_min - portion.begins_min for portion in portions) <= 60
        bolus = [portion for portion in portions if portion.begins_min == 420]
        assert [portion.ul_per_min for portion in bolus] == [5 + Fraction(350, 2 * 1440)]

    def test_a_weeks_end_is_no_seam(self, tmp_path: Path) -> None:
        sunday = portions_of(*flex(tmp_path), start_min=6 * 1440, hours=48)
        assert sunday[-1].owed_ul == 2 * FLEX_UL


class TestPlaying:
    @pytest.mark.parametrize("diameter", ["4.78", "8.66", "14.5", "26.59"])
    def test_a_day_of_a_flex_program_comes_out_within_one_increment(
        self, clock: Clock, quick: SyringeResponder, tmp_path: Path, diameter: str
    ) -> None:
        """The narrowest steps are finer than the counter's last digits, so there it is the liquid that is judged."""
        portions = portions_of(*flex(tmp_path), start_min=0, hours=24)
        account, accounts = played(clock, quick, portions, diameter=diameter)
        increment_ul = Syringe(Fraction(diameter)).increment_ul
        assert account.programmed_ul == FLEX_UL
        assert abs(quick.infused_ul - FLEX_UL) <= increment_ul
        assert abs(quick.infused_ul - account.counted_ul) <= account.doubt_ul
        for hour in accounts:
            assert abs(hour.counted_ul - hour.programmed_ul) <= increment_ul + hour.doubt_ul

    def test_in_real_time_an_hour_takes_an_hour(self, clock: Clock, pump: SyringeResponder, tmp_path: Path) -> None:
        """A last step, 0.137 µL at 10 µL/h, takes 49 s more."""
        account, _ = played(clock, pump, portions_of(*flex(tmp_path), start_min=0, hours=1), pace=Pace())
        assert account.within_one_increment
        assert 3600 <= clock.now_s - 1000 <= 3660

    def test_a_real_pump_is_asked_for_more_when_the_day_is_shorter(
        self, clock: Clock, pump: SyringeResponder, tmp_path: Path
    ) -> None:
        portions = portions_of(*flex(tmp_path), start_min=0, hours=24)
        account, _ = played(clock, pump, portions, pace=Pace(speed=Fraction(1440)))
        assert account.within_one_increment
        assert 60 <= clock.now_s - 1000 <= 66

    def test_a_rate_below_the_pumps_slowest_is_given_in_bursts(self, clock: Clock, quick: SyringeResponder) -> None:
        """24 mcg/day at 500 mcg/mL are 2 µL/h; the slowest of a 26.59 mm bore is 23.35 µL/h."""
        course = course_of(WeekPlan((DoseRate.mcg_per_day(24),) * 7))
        portions = portions_of(course, Concentration.mcg_per_ml(500), start_min=0, hours=24)
        account, _ = played(clock, quick, portions, diameter="26.59")
        assert account.programmed_ul == 48
        assert abs(quick.infused_ul - 48) <= account.increment_ul

    def test_a_stopped_program_moves_nothing(self, clock: Clock, quick: SyringeResponder) -> None:
        course = course_of(WeekPlan((DoseRate.zero(),) * 7))
        account, _ = played(clock, quick, portions_of(course, Concentration.mcg_per_ml(500), start_min=0, hours=2))
        assert (account.counted_ul, account.doubt_ul, quick.infused_ul) == (0, 0, 0)

    @settings(max_examples=15, deadline=None)
    @given(
        st.lists(st.integers(0, 10**9), min_size=7, max_size=7),
        st.integers(500, 4000),
        st.sampled_from(["8.66", "12.06", "14.5", "20"]),
        st.integers(1, 12),
    )
    def test_any_rates_come_out_within_one_increment_of_liquid(
        self, rates: list[int], concentration: int, diameter: str, hours: int
    ) -> None:
        clock = Clock()
        pump = SyringeResponder(clock, speed=QUICK)
        course = course_of(WeekPlan(tuple(DoseRate.mcg_per_day(Fraction(rate, 10**6)) for rate in rates)))
        portions = portions_of(course, Concentration.mcg_per_ml(concentration), start_min=1000, hours=hours)
        account, _ = played(clock, pump, portions, diameter=diameter)
        assert abs(account.programmed_ul - pump.infused_ul) <= account.increment_ul / 2 + account.doubt_ul

    def test_what_the_pump_cannot_give_is_refused_before_anything_runs(
        self, clock: Clock, pump: SyringeResponder, tmp_path: Path
    ) -> None:
        """The bolus is 5.12153 µL/min, and a bore of 14.5 mm gives at most 8422.4: 1644 times as much."""
        portions = portions_of(*flex(tmp_path), start_min=0, hours=24)
        with pytest.raises(SyringeTooSlowError) as refused:
            played(clock, pump, portions, pace=Pace(speed=Fraction(3600)))
        assert int(refused.value.values["fastest_speed"]) == 1644
        assert pump.infused_ul == 0


class TestBreakingOff:
    @pytest.fixture
    def hour(self) -> tuple[Portion, ...]:
        """24 µL in an hour."""
        course = course_of(WeekPlan((DoseRate(Mass.mcg(288).quanta),) * 7))
        return portions_of(course, Concentration.mcg_per_ml(500), start_min=0, hours=1)

    def play_until(self, clock: Clock, hour: tuple[Portion, ...], port: Loop, mishap: Callable[[], None]) -> None:
        """Play, let something befall the pump after half an hour, and keep what the player counted."""
        began_s, syringe = clock.now_s, Syringe(Fraction("14.5"))

        def wait(seconds: Fraction) -> None:
            before_s = clock.now_s
            clock.wait(seconds)
            if before_s <= began_s + 1800 < clock.now_s:
                mishap()

        driven = SyringePump(port, diameter_mm=syringe.diameter_mm)
        player = SyringePlayer(driven, syringe, Pace(), clock_s=clock, sleep_s=wait, tell=lambda account: None)
        try:
            player.play(hour)
        finally:
            assert not heartbeats()
            self.counted_ul = player.counted_ul

    def test_a_stall_ends_it_and_is_accounted(self, clock: Clock, pump: SyringeResponder, hour) -> None:
        with pytest.raises(SyringeAlarmError) as alarm:
            self.play_until(clock, hour, Loop(pump), pump.stall)
        assert alarm.value.values["alarm"] == "stalled"
        assert 11 < self.counted_ul < 13
        assert abs(pump.infused_ul - self.counted_ul) <= Fraction(1, 200)

    def test_a_key_pressed_at_the_pump_ends_it(self, clock: Clock, pump: SyringeResponder, hour) -> None:
        with pytest.raises(SyringeRefusedError) as refused:
            self.play_until(clock, hour, Loop(pump), pump.press_stop)
        assert refused.value.values["problem"] == "stopped by hand"
        assert pump.feed(b"\r") == b"\x0200S\x03"

    def test_power_that_fails_ends_it(self, clock: Clock, pump: SyringeResponder, hour) -> None:
        with pytest.raises(SyringeAlarmError) as alarm:
            self.play_until(clock, hour, Loop(pump), pump.cut_power)
        assert alarm.value.values["alarm"] == "reset"

    def test_a_cut_cable_ends_it_and_the_pump_stops_by_itself(self, clock: Clock, pump: SyringeResponder, hour) -> None:
        port = Loop(pump)
        with pytest.raises(SyringeSilentError):
            self.play_until(clock, hour, port, lambda: setattr(port, "cut", True))
        clock.wait(11)
        assert pump.tick() == safe_packet("00A?T")
        assert pump.infused_ul < 13

    def test_a_pump_that_counts_other_than_it_was_told_is_astray(self, clock: Clock, hour) -> None:
        with pytest.raises(SyringeAstrayError):
            self.play_until(clock, hour, Loop(Short(clock)), lambda: None)

    def test_a_pump_that_is_in_use_is_left_alone(self, raw: Raw) -> None:
        raw.say_all("RAT 600 UH", "RUN")
        with pytest.raises(SyringeRefusedError, match="infusing"):
            SyringePump(Loop(raw.pump), diameter_mm=Fraction("14.5"))
        assert raw.say("") == "00I"

    def test_a_bore_of_five_digits_is_refused(self, raw: Raw) -> None:
        with pytest.raises(SyringeRefusedError, match="diameter"):
            SyringePump(Loop(raw.pump), diameter_mm=Fraction("14.567"))
        assert raw.say("SAF") == "00S0"

    def test_another_device_is_told_apart(self, clock: Clock) -> None:
        with pytest.raises(SyringeGarbledError):
            SyringePump(Loop(Stranger(clock)), diameter_mm=Fraction("14.5"))

    def test_a_port_that_is_not_there_is_silent(self) -> None:
        with pytest.raises(SyringeSilentError):
            SyringeCable("/dev/there-is-no-such-port", 19_200)


class Short(SyringeResponder):
    """A pump whose counter stands still."""

    def _count(self, steps: int) -> str:
        return "0.000"


class Stranger(SyringeResponder):
    """Something else that talks on a cable."""

    def feed(self, arrived: bytes) -> bytes:
        return b"\x02OK\x03"


def cisterna(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "app", "syringe", *arguments]


@needs_ptys
@pytest.mark.parametrize("stall", [False, True])
def test_the_two_commands_play_a_day_over_a_pty(tmp_path: Path, stall: bool) -> None:
    file = tmp_path / "flex.json"
    file.write_text(json.dumps(FLEX))
    fault = ["--stall-at-ul", "100"] if stall else []
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    bench = subprocess.Popen(
        cisterna("emulate", "--pty", "--speed", "172800", *fault),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=environment,
    )
    assert bench.stdout is not None
    try:
        port = bench.stdout.readline().split()[-1]
        speeds = ["--hours", "24", "--speed", "172800", "--pump-speed", "172800"]
        line = cisterna("play", "--port", port, "--program", str(file), *speeds)
        answer = subprocess.run(line, capture_output=True, encoding="utf-8", env=environment, timeout=60)
    finally:
        bench.terminate()
        told = bench.communicate()[0]
    went_out_ul = Fraction(told.split()[2])
    if stall:
        assert answer.returncode == 1
        assert "stopped with an alarm: stalled" in answer.stderr
        assert 100 <= went_out_ul < 130
    else:
        assert answer.returncode == 0, answer.stderr
        assert "within one increment" in answer.stdout
        assert abs(went_out_ul - FLEX_UL) <= Syringe(Fraction("14.5")).increment_ul


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"kind": "programme"}, "kind: 'programme' is not one of"),
        ({"reservoir": {**FLEX["reservoir"], "concentration_mcg_per_ml": "0"}}, "no flow to play"),
        (
            {"program": {"mode": "pulsatile", "basal_mcg_per_day": "9", "bolus": {"dose_mcg": "9", "every_min": 11}}},
            "course",
        ),
        ({"program": {"mode": "simple"}}, "program.daily_dose_mcg: missing"),
        ({"program": {"mode": "simple", "daily_dose_mcg": "20000"}}, "greatest --speed"),
    ],
)
def test_what_cannot_be_played_is_refused_in_one_line(tmp_path: Path, capsys, change: dict, told: str) -> None:
    from app.cli import main

    file = tmp_path / "program.json"
    file.write_text(json.dumps({**FLEX, **change}))
    assert main(["syringe", "play", "--port", "nowhere", "--program", str(file), "--speed", "10000"]) == 2
    assert told in capsys.readouterr().err
