"""An emulated New Era NE-1000 syringe pump: the published commands in both modes, bytes in and bytes out.

Law: whatever comes in, nothing is raised. A command is obeyed, or refused as the manual says, or met with silence; an
alarm stops the pump and is told in place of the next answer.

The motor lives ``speed`` times as fast as the clock. The communication time-out does not, since the client at the
other end lives in real time.

Source: NE-1000 user manual, publication 1200-01. Where it is silent, docs/syringe-pumps.md says what is done.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from app.device.syringe_frames import Heard, PacketEar, basic_packet, safe_packet
from app.device.syringe_numbers import (
    COUNTER_END,
    LARGEST_DIAMETER_MM,
    MICROLITRES_UP_TO_MM,
    SMALLEST_DIAMETER_MM,
    STEP_UM,
    UL_PER_MIN_PER_RATE_UNIT,
    UL_PER_VOLUME_UNIT,
    Syringe,
    read_number,
    show,
)
from app.device.syringe_program import PHASES, Alarm, PumpingProgram, State

VERSION = "NE1000V3.928"

_FIRST_DIAMETER_MM = Fraction("14.5")
_LONGEST_PATIENCE_S = 255
_PHASE_START_S = Fraction(1, 100)
_PACKET = re.compile(r"(\*|[0-9]{0,2})(.*)", re.DOTALL)
_RATE = re.compile(r"([0-9.]+)(UM|MM|UH|MH)?")
_SWITCHES = ("AL", "BP", "LOC", "PF")


class _RefusedError(Exception):
    """The command is not obeyed; its argument is what follows the question mark."""


class SyringeResponder:
    """One pump, just switched on.

    Args:
        clock_s: seconds that never run back.
        speed: how many seconds the motor lives in one of the clock.
        step_um: how far one step of the motor moves the plunger.
    """

    def __init__(
        self, clock_s: Callable[[], Fraction], *, speed: Fraction = Fraction(1), step_um: Fraction = STEP_UM
    ) -> None:
        self._clock_s = clock_s
        self._speed = speed
        self._step_um = step_um
        self._ear = PacketEar()
        self._forget()

    def _forget(self) -> None:
        """Be as it left the factory."""
        self._program = PumpingProgram(Syringe(_FIRST_DIAMETER_MM, self._step_um))
        self._told: Alarm | None = None
        self._address = 0
        self._switches = dict.fromkeys(_SWITCHES, "0")
        self._patience_s = 0
        self._silent_at_s: Fraction | None = None

    @property
    def infused_ul(self) -> Fraction:
        """What has really gone out, whatever the counters show."""
        self._program.catch_up(self._motor_s)
        return self._program.motor.infused_ul

    @property
    def syringe(self) -> Syringe:
        return self._program.motor.syringe

    def feed(self, arrived: bytes) -> bytes:
        """Hear bytes and answer them. Never raises, whatever they are."""
        said = self.tick()
        for byte in arrived:
            heard = self._ear.hear(byte, self._clock_s(), safe=self._safe)
            if heard is not None:
                said += self._answer(heard)
        return said

    def tick(self) -> bytes:
        """What the pump says unasked: in Safe mode, once, an alarm."""
        self._program.catch_up(self._motor_s)
        if self._silent_at_s is not None and self._clock_s() >= self._silent_at_s:
            self._silent_at_s = None
            self._program.sound(Alarm.TIMEOUT)
        alarm, told = self._program.alarm, self._told
        self._told = alarm
        return self._packet(f"A?{alarm}") if self._safe and alarm is not None and alarm != told else b""

    def stall(self) -> None:
        """The plunger meets more than the motor can push."""
        self._program.catch_up(self._motor_s)
        self._program.sound(Alarm.STALLED)

    def cut_power(self) -> None:
        """Power fails and comes back; settings stay, counters and the time-out do not."""
        self._program.catch_up(self._motor_s)
        self._program.motor.change_syringe(self.syringe)
        self._program.sound(Alarm.RESET)
        self._silent_at_s = None

    def press_stop(self) -> None:
        """Somebody presses the pump's own Stop key."""
        self._program.catch_up(self._motor_s)
        if self._program.operating:
            self._program.stop()

    @property
    def _safe(self) -> bool:
        return self._patience_s > 0

    @property
    def _motor_s(self) -> Fraction:
        return self._clock_s() * self._speed

    def _packet(self, said: str) -> bytes:
        text = f"{self._address:02}{said}"
        return safe_packet(text) if self._safe else basic_packet(text)

    def _answer(self, heard: Heard) -> bytes:
        self._program.catch_up(self._motor_s)
        found = _PACKET.fullmatch(heard.text) if heard.text is not None else None
        if found is None:
            return self._packet(f"{self._program.prompt}?COM")
        if self._safe:
            self._silent_at_s = self._clock_s() + self._patience_s
        address, command = found.groups()
        if address != "*" and int(address or "0") != self._address:
            return b""
        said = self._obey(command, system=address == "*")
        self._program.catch_up(self._motor_s)
        if self._program.alarm is not None:
            said, self._program.alarm, self._told = f"A?{self._program.alarm}", None, None
            return self._packet(said)
        return self._packet(self._program.prompt + said)

    def _obey(self, command: str, *, system: bool) -> str:
        """Do it, and say what follows the prompt. While an alarm waits to be told, only SAF is obeyed."""
        if self._program.alarm is not None and not command.startswith("SAF"):
            return ""
        try:
            return self._do_system(command) if system else self._do(command)
        except _RefusedError as refused:
            return f"?{refused}"

    def _do_system(self, command: str) -> str:
        if command == "RESET":
            self._forget()
            return ""
        if not command.startswith("ADR"):
            return self._do(command)
        if command == "ADR":
            return str(self._address)
        self._address = _whole(command[3:], 0, 99)
        return ""

    def _do(self, command: str) -> str:
        actions: dict[str, Callable[[str], str]] = {
            "DIA": self._diameter,
            "PHN": self._phase_number,
            "FUN": self._function,
            "RAT": self._rate,
            "VOL": self._volume,
            "DIR": self._direction,
            "RUN": self._run,
            "PUR": self._purge,
            "STP": self._stop,
            "DIS": self._dispensed,
            "CLD": self._clear,
            "SAF": self._safe_mode,
            "VER": self._version,
        }
        for name, action in actions.items():
            if command.startswith(name):
                return action(command[len(name) :])
        for name in _SWITCHES:
            if command.startswith(name):
                return self._switch(name, command[len(name) :])
        if command:
            raise _RefusedError("")
        return ""

    # Settings

    def _require_standstill(self) -> None:
        if self._program.operating:
            raise _RefusedError("NA")

    def _require_no_phase_start(self) -> None:
        """A change that meets the start of a new phase is ignored, and the pump says so."""
        if self._program.has_just_entered_a_phase(self._motor_s, _PHASE_START_S):
            raise _RefusedError("IGN")

    def _diameter(self, words: str) -> str:
        if not words:
            return show(self.syringe.diameter_mm)
        self._require_standstill()
        diameter_mm = _number(words)
        if not SMALLEST_DIAMETER_MM <= diameter_mm <= LARGEST_DIAMETER_MM:
            raise _RefusedError("OOR")
        if diameter_mm != self.syringe.diameter_mm:
            self._program.stand(State.STOPPED)
            self._program.motor.change_syringe(Syringe(diameter_mm, self._step_um))
            self._program.volume_unit = "UL" if diameter_mm <= MICROLITRES_UP_TO_MM else "ML"
        return ""

    def _phase_number(self, words: str) -> str:
        if not words:
            return str(self._program.selected + 1)
        self._require_standstill()
        self._program.selected = _whole(words, 1, PHASES) - 1
        return ""

    def _function(self, words: str) -> str:
        phase = self._program.phase
        if not words:
            return f"PAS{phase.rest_s}" if phase.function == "PAS" else phase.function
        self._require_standstill()
        if words.startswith("PAS"):
            phase.rest_s = _whole(words[3:], 0, 99)
        elif words not in ("RAT", "STP"):
            raise _RefusedError("OOR")
        phase.function = words[:3]
        return ""

    def _rate(self, words: str) -> str:
        phase = self._program.phase
        if not words:
            return show(phase.rate) + phase.rate_unit
        self._require_no_phase_start()
        found = _RATE.fullmatch(words)
        if found is None:
            raise _RefusedError("OOR")
        unit = found[2] or phase.rate_unit
        operating = self._program.operating
        if operating and (self._program.state is not State.PUMPING or unit != phase.rate_unit):
            raise _RefusedError("NA")
        rate = _number(found[1])
        if not self.syringe.can_run_at(rate * UL_PER_MIN_PER_RATE_UNIT[unit]):
            raise _RefusedError("OOR")
        phase.rate, phase.rate_unit = rate, unit
        if operating:
            self._program.motor.turn_at(self._motor_s, phase.ul_per_min)
        return ""

    def _volume(self, words: str) -> str:
        if not words:
            return show(self._program.phase.volume) + self._program.volume_unit
        self._require_standstill()
        if words in UL_PER_VOLUME_UNIT:
            self._program.volume_unit = words
        else:
            self._program.phase.volume = _number(words)
        return ""

    def _direction(self, words: str) -> str:
        phase = self._program.phase
        if not words:
            return "INF" if phase.infusing else "WDR"
        self._require_no_phase_start()
        if words not in ("INF", "WDR", "REV"):
            raise _RefusedError("OOR")
        operating = self._program.operating
        if operating and (self._program.state is not State.PUMPING or phase.volume):
            raise _RefusedError("NA")
        infusing = not phase.infusing if words == "REV" else words == "INF"
        if operating and infusing != phase.infusing:
            self._program.motor.reverse()
        phase.infusing = infusing
        return ""

    def _switch(self, name: str, words: str) -> str:
        if not words:
            return self._switches[name]
        self._switches[name] = str(_whole(words, 0, 1))
        return ""

    def _safe_mode(self, words: str) -> str:
        if not words:
            return str(self._patience_s)
        self._patience_s = _whole(words, 0, _LONGEST_PATIENCE_S)
        self._silent_at_s = self._clock_s() + self._patience_s if self._safe else None
        return ""

    def _version(self, words: str) -> str:
        if words:
            raise _RefusedError("")
        return VERSION

    # Counters

    def _dispensed(self, words: str) -> str:
        if words:
            raise _RefusedError("")
        motor = self._program.motor
        return f"I{self._count(motor.infused_steps)}W{self._count(motor.withdrawn_steps)}{self._program.volume_unit}"

    def _count(self, steps: int) -> str:
        volume = steps * self.syringe.increment_ul / UL_PER_VOLUME_UNIT[self._program.volume_unit]
        return show(volume % COUNTER_END)

    def _clear(self, words: str) -> str:
        self._require_standstill()
        if words == "INF":
            self._program.motor.infused_steps = 0
        elif words == "WDR":
            self._program.motor.withdrawn_steps = 0
        else:
            raise _RefusedError("OOR")
        return ""

    # Pumping

    def _run(self, words: str) -> str:
        program = self._program
        if not words and program.state in (State.PAUSED, State.WAITING):
            program.resume(self._motor_s)
            return ""
        self._require_standstill()
        first = _whole(words, 1, PHASES) - 1 if words else 0
        if not program.can_run(program.phases[first]):
            raise _RefusedError("OOR")
        program.run(first, self._motor_s)
        return ""

    def _purge(self, words: str) -> str:
        if words or self._program.state is not State.STOPPED:
            raise _RefusedError("NA")
        self._program.purge(self._motor_s)
        return ""

    def _stop(self, words: str) -> str:
        if words or self._program.state is State.STOPPED:
            raise _RefusedError("NA")
        self._program.stop()
        return ""


def _number(words: str) -> Fraction:
    number = read_number(words)
    if number is None:
        raise _RefusedError("OOR")
    return number


def _whole(words: str, least: int, most: int) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", words) or not least <= int(words) <= most:
        raise _RefusedError("OOR")
    return int(words)
