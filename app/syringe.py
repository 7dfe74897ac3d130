"""``cisterna syringe``: a New Era syringe pump plays a program on the bench, or is emulated.

Law: a program is read as ``cisterna evaluate`` reads it, and played as the pump of that document would give it, with
its minimum rate. For phantoms and balances only, never for a person.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path

from app.device.syringe_bench import serve_syringe_pump
from app.device.syringe_numbers import LARGEST_DIAMETER_MM, SMALLEST_DIAMETER_MM, Syringe
from app.device.syringe_player import (
    Account,
    Pace,
    Portion,
    SyringeAstrayError,
    SyringePlayer,
    SyringeTooSlowError,
    portions_of,
    require_playable,
)
from app.device.syringe_pump import (
    SyringeAlarmError,
    SyringeCable,
    SyringeGarbledError,
    SyringePump,
    SyringeRefusedError,
    SyringeSilentError,
)
from app.device.syringe_responder import SyringeResponder
from app.documents.catalogue import load_catalogue
from app.documents.evaluate import DocumentRefusedError, evaluate_text
from app.documents.evaluate_refill import ProgramDocument
from app.models.course import Course, NoCourseError, achieved_plan, course_of
from app.models.errors import AppError
from app.models.formats import plain, rounded
from app.models.program import Weekday
from app.models.quantities import MINUTES_PER_DAY, Concentration

_NANOSECONDS = 10**9


def serve_syringe(arguments: argparse.Namespace) -> int:
    """Put an emulated NE-1000 on a pseudo-terminal until the process is ended; then say what really went out."""
    stop = threading.Event()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: stop.set())
    pump = SyringeResponder(_now_s, speed=arguments.speed, step_um=arguments.step_um)
    serve_syringe_pump(
        pump, announce=lambda words: print(words, flush=True), stop=stop, stalls_at_ul=arguments.stall_at_ul
    )
    print(f"went out {_ul(pump.infused_ul)} in steps of {_ul(pump.syringe.increment_ul)}")
    return 0


def play_program(arguments: argparse.Namespace) -> int:
    """Play a program on a syringe pump; 1 if it broke off or came out wrong, 2 if it cannot be played at all."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    syringe = Syringe(arguments.diameter_mm, arguments.step_um)
    pace = Pace(arguments.speed, arguments.pump_speed)
    try:
        course, concentration = _read_course(arguments.program)
        start_min = Weekday[arguments.day.upper()] * MINUTES_PER_DAY
        portions = portions_of(course, concentration, start_min=start_min, hours=arguments.hours)
        _require_syringe(syringe)
        require_playable(portions, syringe, pace)
    except (OSError, UnicodeDecodeError, DocumentRefusedError) as error:
        print(f"{arguments.program}: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except (NoCourseError, SyringeTooSlowError, SyringeRefusedError) as error:
        print(_sentence(error), file=sys.stderr)
        return 2
    return _play(arguments, portions, syringe, pace, concentration)


def _require_syringe(syringe: Syringe) -> None:
    """Raises: SyringeRefusedError: no pump of the family takes this bore."""
    if not SMALLEST_DIAMETER_MM <= syringe.diameter_mm <= LARGEST_DIAMETER_MM:
        raise SyringeRefusedError(what="the diameter", problem=f"{plain(syringe.diameter_mm)} mm")


def _read_course(file: str) -> tuple[Course, Concentration]:
    """What the document's pump would give. Raises: OSError, DocumentRefusedError, NoCourseError."""
    text = Path(file).read_text("utf-8")
    catalogue = load_catalogue()
    evaluate_text(text, catalogue)
    fields = json.loads(text)
    if fields.pop("kind") != "program":
        raise DocumentRefusedError("kind", "only a program can be played")
    document = ProgramDocument.model_validate(fields)
    pump = document.pump.to_domain(catalogue)
    concentration = document.reservoir.concentration_mcg_per_ml
    program = document.program.to_domain(document.pump.flow())
    if not concentration:
        raise DocumentRefusedError("reservoir.concentration_mcg_per_ml", "without a drug there is no flow to play")
    return course_of(achieved_plan(program, pump, concentration)), concentration


def _play(
    arguments: argparse.Namespace,
    portions: tuple[Portion, ...],
    syringe: Syringe,
    pace: Pace,
    concentration: Concentration,
) -> int:
    def tell(account: Account) -> None:
        if not arguments.quiet:
            print(_line(account), flush=True)

    try:
        cable = SyringeCable(arguments.port, arguments.baud)
    except SyringeSilentError as error:
        print(_sentence(error), file=sys.stderr)
        return 1
    player = None
    try:
        pump = SyringePump(cable, diameter_mm=syringe.diameter_mm, address=arguments.address)
        player = SyringePlayer(pump, syringe, pace, clock_s=_now_s, sleep_s=lambda s: time.sleep(float(s)), tell=tell)
        account = player.play(portions)
    except (AppError, KeyboardInterrupt) as error:
        print(f"Broken off: {_sentence(error)}", file=sys.stderr)
        if player is not None:
            print(f"Until then the pump counted {_ul(player.counted_ul)}.", file=sys.stderr)
        return 1
    finally:
        cable.part()
    print(_verdict(account, concentration))
    return 0 if account.within_one_increment else 1


def _line(account: Account) -> str:
    hours, minutes = divmod(int(account.minute), 60)
    return f"{hours:02}:{minutes:02}  programmed {_ul(account.programmed_ul)}  dispensed {_ul(account.counted_ul)}"


def _verdict(account: Account, concentration: Concentration) -> str:
    dose_mcg = account.programmed_ul / 1000 * concentration.in_mcg_per_ml
    judged = "within" if account.within_one_increment else "NOT within"
    return "\n".join(
        (
            f"programmed {_ul(account.programmed_ul)} ({rounded(dose_mcg, 3)} mcg)",
            f"dispensed  {_ul(account.counted_ul)} by the pump's counter, give or take {_ul(account.doubt_ul)}",
            f"difference {_ul(account.counted_ul - account.programmed_ul)}: {judged} one increment of the pump, "
            f"{_ul(account.increment_ul)}",
            f"at most {rounded(account.late_min, 2)} min of the program late",
        )
    )


def _sentence(error: BaseException) -> str:
    """What went wrong, for the person at the bench."""
    match error:
        case SyringeTooSlowError(values=values):
            return (
                f"The program needs {_shown(values['needed_ul_per_min'])} µL/min; this pump and syringe give at "
                f"most {_shown(values['fastest_ul_per_min'])}. The greatest --speed is "
                f"{_shown(values['fastest_speed'])}, or take a wider syringe."
            )
        case SyringeAlarmError(values=values):
            return f"the pump has stopped with an alarm: {values['alarm']}."
        case SyringeRefusedError(values=values):
            return f"the pump refuses {values['what']} ({_details(values, 'what')})."
        case SyringeSilentError(values=values):
            return f"no pump answers at {values['port']} ({values['problem']})."
        case SyringeGarbledError(values=values):
            return f"the answer is none of a syringe pump of this family ({values['problem']})."
        case SyringeAstrayError(values=values):
            return f"the pump did not do what it was told ({_details(values)})."
        case NoCourseError(values=values):
            return f"This program has no course ({_details(values)})."
    return "stopped by hand at the computer."


def _details(values: dict[str, object], *without: str) -> str:
    return ", ".join(f"{name} {_shown(value)}" for name, value in values.items() if name not in without)


def _shown(value: object) -> str:
    return rounded(value, 3) if isinstance(value, Fraction) else str(value)


def _ul(volume_ul: Fraction) -> str:
    return f"{rounded(volume_ul, 4)} µL"


def _now_s() -> Fraction:
    return Fraction(time.monotonic_ns(), _NANOSECONDS)
