"""The command line: which command was asked for, and where it lives.

A command's module is imported only when that command runs, so that a calculation starts no Qt and the window
loads no report writer.
"""

import argparse
from collections.abc import Sequence
from importlib import import_module, metadata
from typing import cast


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
    window.set_defaults(runs="app.bootstrap:open_window")

    demo = commands.add_parser("demo", help="play a clinic day with an emulated pump")
    demo.add_argument("--headless", action="store_true", help="without a window on the screen")
    demo.add_argument("--output", default="demo-output", metavar="FOLDER", help="where its files go")
    demo.set_defaults(runs="app.demo:play")

    evaluate = commands.add_parser("evaluate", help="answer one JSON document with one JSON object")
    evaluate.add_argument("file", metavar="FILE", help="the document, or - for standard input")
    evaluate.add_argument("--lines", action="store_true", help="one document on each line")
    evaluate.set_defaults(runs="app.documents.evaluate:evaluate_file")

    catalogue = commands.add_parser("catalogue", help="list pumps, catheters and drugs with their sources")
    catalogue.add_argument("--json", action="store_true", help="for programs to read")
    catalogue.set_defaults(runs="app.documents.catalogue:print_catalogue")

    emulate = commands.add_parser("emulate", help="put an emulated pump on the end of a cable")
    emulate.add_argument("--tcp", type=int, metavar="PORT", help="listen here, not on a pseudo-terminal")
    emulate.set_defaults(runs="app.device.emulate:serve")
    return parser
