"""The command line: which command was asked for, and where it lives.

A command's module is imported only when that command runs, so that a calculation starts no Qt and the window
loads no report writer.
"""

import argparse
from collections.abc import Callable, Sequence
from fractions import Fraction
from importlib import import_module, metadata
from typing import cast

from app.models.formats import NotANumberError, parse_number

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    parsed = _parser().parse_args(arguments)
    place, name = parsed.runs.split(":")
    return cast(int, getattr(import_module(place), name)(parsed))


def _parser() -> argparse.ArgumentParser:
    """Describe the commands. Each ``runs`` a function from parsed arguments to an exit code."""
    parser = argparse.ArgumentParser(prog="cisterna", description="Pump programmer and refill assistant.")
    parser.add_argument("--version", action="version", version=f"cisterna {metadata.version('cisterna')}")
    parser.set_defaults(runs="app.bootstrap:open_window")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    window = commands.add_parser("window", help="open the window (what happens without a command)")
    window.add_argument("--data", metavar="FOLDER", help="where the store lies (default: the user's data folder)")
    window.add_argument("--port", metavar="NAME", help="a serial port or socket://HOST:PORT; none for emulated pumps")
    window.add_argument("--user", metavar="ID", help="who works here (default: the first physician)")
    window.add_argument("--theme", choices=("light", "dark", "high-contrast"), default="light")
    window.set_defaults(runs="app.bootstrap:open_window")

    demo = commands.add_parser("demo", help="play one refill with an emulated pump")
    demo.add_argument("--headless", action="store_true", help="without a window on the screen")
    demo.add_argument("--output", default="demo-output", metavar="FOLDER", help="where its files go")
    demo.add_argument("--port", metavar="NAME", help="a pump of another process, instead of one in this program")
    demo.add_argument("--data", metavar="FOLDER", help="a store to work on (default: a new one in the output folder)")
    demo.add_argument("--theme", choices=("light", "dark", "high-contrast"), default="light")
    demo.set_defaults(runs="app.demo:play")

    evaluate = commands.add_parser("evaluate", help="answer one JSON document with one JSON object")
    evaluate.add_argument("file", metavar="FILE", help="the document, or - for standard input")
    evaluate.add_argument("--lines", action="store_true", help="one document on each line")
    evaluate.set_defaults(runs="app.documents.evaluate:evaluate_file")

    catalogue = commands.add_parser("catalogue", help="list pumps, catheters and drugs with their sources")
    catalogue.add_argument("--json", action="store_true", help="for programs to read")
    catalogue.set_defaults(runs="app.documents.catalogue:print_catalogue")

    emulate = commands.add_parser("emulate", help="put an emulated pump on the end of a cable")
    cable = emulate.add_mutually_exclusive_group()
    cable.add_argument("--pty", action="store_true", help="on a pseudo-terminal (the default)")
    cable.add_argument("--tcp", type=int, metavar="PORT", help="on a TCP port of this machine; 0 for any")
    emulate.add_argument("--serial", default="EMU-100191", metavar="SERIAL", help="which patient's pump")
    emulate.add_argument("--data", metavar="FOLDER", help="the store that knows the pump")
    emulate.add_argument("--state", metavar="FILE", help="the pump's memory (default: in the data folder)")
    emulate.add_argument("--speed", type=float, default=1.0, help="how fast its clock runs")
    emulate.add_argument("--must-stop", action="store_true", help="it stands still while it takes a new program")
    emulate.add_argument("--control", type=int, metavar="PORT", help="a door for faults and time; 0 for any")
    emulate.set_defaults(runs="app.bootstrap:serve_pump")

    conform = commands.add_parser("conform", help="try a bench pump against each clause of the wire protocol")
    conform.add_argument("--port", required=True, metavar="NAME", help="a serial port or socket://HOST:PORT")
    conform.add_argument("--i-am-on-a-bench", action="store_true", help="needed: the pump is programmed and stopped")
    conform.add_argument("--serial", metavar="SERIAL", help="the pump's serial number")
    key = conform.add_mutually_exclusive_group()
    key.add_argument("--key", metavar="HEX", help="the pump's key (default: a bench pump's, from its serial number)")
    key.add_argument("--key-file", metavar="FILE", help="a file with the key in hex")
    conform.add_argument("--report", metavar="FILE", help="write the report to FILE.json or FILE.txt as well")
    conform.add_argument("--control", type=int, metavar="PORT", help="an emulated pump's door, to try power cuts")
    conform.add_argument("--slow", action="store_true", help="also what takes minutes")
    conform.set_defaults(runs="app.device.conform:conform")

    syringe = commands.add_parser("syringe", help="play a program on a New Era syringe pump, or emulate one")
    _add_syringe_commands(syringe.add_subparsers(title="commands", metavar="COMMAND", required=True))
    return parser


def _add_syringe_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    emulate = commands.add_parser("emulate", help="put an emulated NE-1000 on a pseudo-terminal")
    emulate.add_argument("--pty", action="store_true", help="on a pseudo-terminal (the default)")
    emulate.add_argument("--speed", type=_positive, default="1", metavar="N", help="how fast its motor lives")
    emulate.add_argument("--step-um", type=_positive, default="0.831", metavar="UM", help="travel of one step")
    emulate.add_argument("--stall-at-ul", type=_positive, metavar="UL", help="stall once, when so much went out")
    emulate.set_defaults(runs="app.syringe:serve_syringe")

    play = commands.add_parser("play", help="play a program on a syringe pump; phantoms only, never a person")
    play.add_argument("--port", required=True, metavar="NAME", help="a serial port, a pseudo-terminal or a URL")
    play.add_argument("--program", required=True, metavar="FILE", help="a program document as for evaluate")
    play.add_argument("--hours", type=_between(1, 168), default=24, metavar="N", help="1 to 168")
    play.add_argument("--day", choices=_DAYS, default="mon", help="at whose midnight it starts")
    play.add_argument("--speed", type=_positive, default="1", metavar="N", help="play it N times as fast")
    play.add_argument("--pump-speed", type=_positive, default="1", metavar="N", help="an emulated pump's own --speed")
    play.add_argument("--diameter-mm", type=_positive, default="14.5", metavar="MM", help="the syringe's bore")
    play.add_argument("--step-um", type=_positive, default="0.831", metavar="UM", help="travel of one step")
    play.add_argument("--address", type=_between(0, 99), default=0, metavar="N", help="0 to 99")
    play.add_argument("--baud", type=int, default=19_200)
    play.add_argument("--quiet", action="store_true", help="only the account at the end")
    play.set_defaults(runs="app.syringe:play_program")


def _between(least: int, most: int) -> Callable[[str], int]:
    """A reader of whole numbers, both ends inclusive."""

    def whole_number(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} to {most}")
        return int(text)

    return whole_number


def _positive(text: str) -> Fraction:
    """A number above 0 in plain decimal notation. Raises: argparse.ArgumentTypeError."""
    try:
        number = parse_number(text)
    except NotANumberError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number in plain decimal notation") from None
    if not number:
        raise argparse.ArgumentTypeError("0 is too little")
    return number
