"""``cisterna conform``: does the pump at the other end of a cable do what the wire protocol says?

Law: nothing is sent before somebody has said that the pump lies on a bench, and whatever happens on the way, the
program that the pump had is ordered again at the end. How to read a report: ``docs/conformance.md``.
"""

from __future__ import annotations

import argparse
import json
import secrets
import socket
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from app.device.conform_bench import Bench, NotAsDocumentedError, NotRunError, described, shown
from app.device.conform_frames import Check
from app.device.conform_orders import CHECKS
from app.device.frames import bench_key
from app.device.messages import Hi
from app.device.order_codec import What
from app.device.settings_codec import BadSettingsError, decode_settings, settings_digest
from app.device.transports import SerialCable
from app.models.errors import AppError
from app.models.pump import LinkLostError, PumpSettings

_PASSED, _FAILED, _COULD_NOT_RUN = 0, 1, 2
_KEY_LENGTH = 32
_DOOR_PATIENCE_S = 5
_MOST_HEX = 1200

WARNING = """\
This programs the pump at the other end, gives it boluses of 6 microlitres, stops it, resumes it and puts its clock.
Never do that to a pump that is in a person or will be. At the end the program is put back. If the pump lies on a
bench and leads to nobody, say so with --i-am-on-a-bench."""


class CannotStartError(AppError):
    """The checks were not begun; ``problem`` says why."""


class Verdict(StrEnum):
    PASSED = "PASSED"
    FAILED = "FAILED"
    NOT_RUN = "NOT RUN"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one check. ``sent`` and ``arrived`` are hex, of a check that failed."""

    number: int
    section: str
    title: str
    clause: str
    verdict: Verdict
    seconds: float
    reason: str = ""
    expected: str = ""
    came: str = ""
    sent: str = ""
    arrived: str = ""


@dataclass(frozen=True, slots=True)
class Pump:
    """The pump before the first check: what it said, and what must be put back."""

    hi: Hi
    settings: PumpSettings
    clock_at: float


@dataclass(frozen=True, slots=True)
class Restored:
    """Whether the original program is back; ``note`` says it in words."""

    done: bool
    note: str


@dataclass(frozen=True, slots=True)
class Report:
    """One run."""

    port: str
    began: datetime
    pump: Hi
    results: tuple[Result, ...]
    restored: Restored
    seconds: float

    def count(self, verdict: Verdict) -> int:
        return sum(result.verdict is verdict for result in self.results)

    @property
    def conforms(self) -> bool:
        return self.restored.done and not self.count(Verdict.FAILED)


def conform(arguments: argparse.Namespace) -> int:
    """Run all checks and print the report: 0 all passed, 1 something failed, 2 the checks could not be run."""
    print(WARNING, file=sys.stderr)
    try:
        if not arguments.i_am_on_a_bench:
            raise CannotStartError(problem="nobody said that the pump is on a bench")
        if arguments.report and Path(arguments.report).suffix not in (".json", ".txt"):
            raise CannotStartError(problem="a report is a .json or a .txt file")
        report = _run_at(arguments)
        if arguments.report:
            write_report(report, Path(arguments.report))
    except (CannotStartError, LinkLostError, OSError) as error:
        words = error.values["problem"] if isinstance(error, CannotStartError) else error
        print(f"Could not run: {words}", file=sys.stderr)
        return _COULD_NOT_RUN
    return _PASSED if report.conforms else _FAILED


def _run_at(arguments: argparse.Namespace) -> Report:
    bench = Bench(
        lambda: SerialCable(arguments.port),
        _key(arguments),
        randomness=secrets.token_bytes,
        door=_door(arguments.control) if arguments.control else None,
        slow=arguments.slow,
    )
    try:
        pump = meet(bench, arguments.serial)
        print("\n".join(_heading(arguments.port, pump.hi)), flush=True)
        began = datetime.now(UTC)
        return run(bench, pump, CHECKS, port=arguments.port, began=began, announce=lambda line: print(line, flush=True))
    finally:
        bench.close()


def _key(arguments: argparse.Namespace) -> bytes:
    """The pump's key, as it was given or as it follows from the serial number. Raises: CannotStartError."""
    text = Path(arguments.key_file).read_text(encoding="ascii").strip() if arguments.key_file else arguments.key
    if text is None:
        if arguments.serial is None:
            raise CannotStartError(problem="--serial or a key is needed: without a key of its own a pump's key follows "
                                           "from its serial number")  # fmt: skip
        return bench_key(arguments.serial)
    try:
        key = bytes.fromhex(text)
    except ValueError:
        raise CannotStartError(problem="the key is not hex") from None
    if len(key) != _KEY_LENGTH:
        raise CannotStartError(problem="a key has 32 bytes, 64 hex digits")
    return key


def _door(port: int) -> Callable[[Mapping[str, str | int]], Mapping[str, Any]]:
    """The bench door of an emulated pump on this machine, one connection for each order."""

    def give(order: Mapping[str, str | int]) -> Mapping[str, Any]:
        try:
            with socket.create_connection(("127.0.0.1", port), _DOOR_PATIENCE_S) as door, door.makefile("rw") as lines:
                lines.write(json.dumps(dict(order)) + "\n")
                lines.flush()
                answer: Mapping[str, Any] = json.loads(lines.readline())
        except (OSError, ValueError) as error:
            raise NotRunError(reason=f"the bench door at {port} does not answer: {error}") from None
        if not answer.get("ok"):
            raise NotRunError(reason=f"the bench door refused {order.get('do')}: {answer.get('error')}")
        return answer

    return give


def meet(bench: Bench, serial: str | None = None) -> Pump:
    """The pump before the first check. Raises: CannotStartError: it must not or cannot be tried; LinkLostError."""
    try:
        hi, at = bench.greet(), bench.monotonic()
        if serial is not None and hi.serial != serial:
            raise CannotStartError(problem=f"this is pump {hi.serial}")
        status, program = bench.status(), bench.program()
        settings = decode_settings(program.settings)
    except NotAsDocumentedError as wrong:
        raise CannotStartError(
            problem=f"no dialogue with a pump under this key: expected {wrong.values['expected']}, "
            f"came {wrong.values['came']}, {bench.came.hex() or 'no bytes'}"
        ) from None
    except BadSettingsError:
        raise CannotStartError(problem=f"the running program cannot be read: {program.settings.hex()}") from None
    if status.bolus_nl or status.bridge_left_min:
        raise CannotStartError(problem="a bolus or a bridge is being given, which could not be put back")
    if hi.reset:
        raise CannotStartError(problem="the pump has lost its memory; program it first")
    return Pump(hi, settings, at)


def run(
    bench: Bench,
    pump: Pump,
    checks: Sequence[Check],
    *,
    port: str,
    began: datetime,
    announce: Callable[[str], None] = lambda line: None,
) -> Report:
    """Run the checks one after another and put the program back, whatever happens."""
    results: list[Result] = []
    started = bench.monotonic()
    restored = Restored(False, "The original program was not put back.")
    try:
        for number, check in enumerate(checks, start=1):
            result = _result(bench, pump, number, check)
            results.append(result)
            announce("\n".join(_lines(result)))
    finally:
        restored = restore(bench, pump)
        announce(f"\n{restored.note}")
    report = Report(port, began, pump.hi, tuple(results), restored, bench.monotonic() - started)
    announce(_sum(report))
    return report


def _result(bench: Bench, pump: Pump, number: int, check: Check) -> Result:
    """Run one check."""
    began = bench.monotonic()
    result = Result(number, check.section, check.title, check.words, Verdict.PASSED, 0.0)
    try:
        bench.forget()
        check.act(bench, pump.settings)
    except NotRunError as error:
        result = replace(result, verdict=Verdict.NOT_RUN, reason=str(error.values["reason"]))
    except NotAsDocumentedError as wrong:
        result = _failed(bench, result, str(wrong.values["expected"]), str(wrong.values["came"]))
    except LinkLostError as lost:
        bench.close()
        result = _failed(bench, result, "a cable that holds", str(lost))
    return replace(result, seconds=round(bench.monotonic() - began, 3))


def _failed(bench: Bench, result: Result, expected: str, came: str) -> Result:
    return replace(
        result,
        verdict=Verdict.FAILED,
        expected=expected,
        came=came,
        sent=_end_of(bench.sent),
        arrived=_end_of(bench.came),
    )


def _end_of(raw: bytes) -> str:
    """The last of these bytes in hex, since it was the last that went wrong."""
    text = raw.hex()
    return text if len(text) <= _MOST_HEX else f"…{text[-_MOST_HEX:]}"


def restore(bench: Bench, pump: Pump) -> Restored:
    """Order the original program again; once more on a new connection if this one is lost."""
    try:
        try:
            return _put_back(bench, pump)
        except LinkLostError:
            bench.close()
            return _put_back(bench, pump)
    except (NotAsDocumentedError, LinkLostError) as error:
        return Restored(False, f"The original program could NOT be put back: {error}")


def _put_back(bench: Bench, pump: Pump) -> Restored:
    """The counter goes on from where it is, and a bridge that is over stays over."""
    settings = replace(pump.settings, reservoir=None, bridge=None)
    bench.forget()
    for clear in (bench.settle, bench.drop_draft):
        with suppress(NotAsDocumentedError):
            clear()
    staged, _ = bench.program_it(settings)
    hi = bench.greet()
    if hi.running != pump.hi.running:
        bench.carry_out(What.RESUME if pump.hi.running else What.STOP, b"")
        hi = bench.greet()
    if hi.digest != settings_digest(staged.raw) or hi.running != pump.hi.running:
        return Restored(False, f"The original program is NOT back: {described(hi)}")
    return Restored(True, _note_of(bench, pump, hi, same=hi.digest == pump.hi.digest))


def _note_of(bench: Bench, pump: Pump, hi: Hi, *, same: bool) -> str:
    went = (hi.clock - pump.hi.clock).total_seconds() - (bench.monotonic() - pump.clock_at)
    digest = "the digest is as before" if same else "without filling and bridge, which are not done twice"
    clock = f" Its clock is off by {went:.0f} s from before." if abs(went) > 2 else ""
    return (
        f"The original program is back as revision {hi.revision}, digest {shown(hi.digest)}; {digest}. "
        f"The pump is {'running' if hi.running else 'stopped'}, as before.{clock}"
    )


# -- the report ------------------------------------------------------------------------------------------------


def write_report(report: Report, path: Path) -> None:
    """As JSON or as text, as the file's name says."""
    text = as_json(report) if path.suffix == ".json" else as_text(report)
    path.write_text(text + "\n", encoding="utf-8")


def as_json(report: Report) -> str:
    """The report for programs to read."""
    hi = report.pump
    return json.dumps(
        {
            "port": report.port,
            "began": report.began.isoformat(timespec="seconds"),
            "seconds": round(report.seconds, 1),
            "pump": {"serial": hi.serial, "model": hi.model, "firmware": hi.firmware, "emulated": hi.emulated},
            "conforms": report.conforms,
            "passed": report.count(Verdict.PASSED),
            "failed": report.count(Verdict.FAILED),
            "not_run": report.count(Verdict.NOT_RUN),
            "restored": asdict(report.restored),
            "checks": [asdict(result) for result in report.results],
        },
        indent=2,
        ensure_ascii=False,
    )


def as_text(report: Report) -> str:
    """The report for people to read."""
    lines = [*_heading(report.port, report.pump), f"Began {report.began.isoformat(timespec='seconds')}."]
    lines += [line for result in report.results for line in _lines(result)]
    return "\n".join((*lines, "", report.restored.note, _sum(report)))


def _heading(port: str, hi: Hi) -> Iterable[str]:
    kind = "emulated pump" if hi.emulated else "pump"
    yield f"Conformance of {kind} {hi.serial} ({hi.model}, {hi.firmware}) at {port}"


def _lines(result: Result) -> Iterable[str]:
    yield f"\n{result.number:3} {result.verdict}  {result.section}: {result.title}."
    yield f"      “{result.clause}”"
    if result.reason:
        yield f"      reason: {result.reason}"
    if result.verdict is Verdict.FAILED:
        yield f"      expected: {result.expected}"
        yield f"      came: {result.came}"
        yield f"      bytes sent: {result.sent or 'none'}"
        yield f"      bytes that came: {result.arrived or 'none'}"


def _sum(report: Report) -> str:
    passed, failed, not_run = (report.count(verdict) for verdict in Verdict)
    words = "This pump conforms." if report.conforms else "This pump does NOT conform."
    return f"{passed} passed, {failed} failed, {not_run} not run in {report.seconds:.1f} s. {words}"
