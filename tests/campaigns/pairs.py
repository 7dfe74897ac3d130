"""The wrong pump at the end of the cable: whoever's it is and whenever it comes there, it is told nothing.

``python3 dev.py campaign pairs --pairs 100000 --seed 1``

Of each pair the patient is one of the clinic's and the pump is another's, or one whose serial number is a digit, a
letter or a swap away; it has its own key or, worse, the patient's. It is there from the beginning, or it takes the
place of the right pump between the reading and the draft, or between the draft and the commit. Counted are the bytes
of every message that is more than a greeting or a question.
"""

from __future__ import annotations

import argparse
import logging
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.bootstrap import make_emulated_pump
from app.device.client import PumpClient
from app.device.emulated_pump import EmulatedPump
from app.device.frames import FrameReader, bench_key, decode_frame
from app.device.messages import QUESTIONS, Resolve, decode_message
from app.device.server import PumpServer
from app.models.catalogue import PumpKind
from app.models.patient import Implant
from app.models.pump import LinkLostError, Outcome, WrongPumpError
from app.models.refill_visit import RefillVisit
from tests.services.bench import PATIENT, Bench

HARMLESS = (*QUESTIONS, Resolve)
ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
SHARES = {"from the beginning": 80, "before the draft": 17, "before the commit": 3}


class Socket:
    """A cable that ends in whichever pump is plugged in, and counts what each was told."""

    immediate = True

    def __init__(self, key: bytes) -> None:
        self.key = key
        self.server: PumpServer | None = None
        self.alive = False
        self.told: Counter[str] = Counter()
        self.payload_bytes = 0
        self.counting = False
        self._arrived = b""
        self._frames = FrameReader()

    def plug(self, server: PumpServer) -> None:
        """Another pump, whose cable has to be opened anew."""
        self.server, self.alive = server, False

    def open(self) -> Socket:
        assert self.server is not None
        self.server.hang_up()
        self.alive, self._arrived, self._frames = True, b"", FrameReader()
        return self

    def write(self, sent: bytes) -> None:
        if not self.alive or self.server is None:
            raise LinkLostError(problem="cut")
        if self.counting:
            self._count(sent)
        self._arrived += self.server.feed(sent)

    def _count(self, sent: bytes) -> None:
        for stuffed in self._frames.feed(sent):
            frame = decode_frame(stuffed, self.key)
            message = decode_message(frame.kind, frame.payload)
            self.told[type(message).__name__] += 1
            if not isinstance(message, HARMLESS):
                self.payload_bytes += len(frame.payload)

    def read(self, timeout_s: float) -> bytes:
        if not self.alive:
            raise LinkLostError(problem="cut")
        arrived, self._arrived = self._arrived, b""
        return arrived

    def close(self) -> None:
        self.alive = False


@dataclass
class Tally:
    """What happened; ``wrong`` is empty and ``payload_bytes`` is 0."""

    pairs: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    payload_bytes: int = 0
    wrong: list[str] = field(default_factory=list)


class Room:
    """A clinic with all its patients, and one visit that waits for its draft."""

    def __init__(self, folder: Path, dice: random.Random) -> None:
        self.bench, self.dice, self.tally = Bench(folder), dice, Tally()
        self.station = self.bench.station
        self.waiting = self.bench.until_proposed()
        found = (record.implant for record in self.station.store.therapies())
        kinds = self.station.catalogue.pump
        programmable = PumpKind.PROGRAMMABLE
        self.implants = [one for one in found if one is not None and kinds(one.pump_model).kind is programmable]
        self.own = self.station.desk.implant(PATIENT)
        self.visits = {one.id: self._visit(one) for one in self.implants}
        self.pumps = {one.id: self._pump_of(one, folder) for one in self.implants}

    def _visit(self, implant: Implant) -> RefillVisit:
        """The patient's visit, identified."""
        if implant.patient_id == PATIENT:
            return self.waiting
        desk, nurse = self.station.desk, self.bench.nurse
        patient = self.station.store.therapy(implant.patient_id).patient
        visit = desk.open(implant.patient_id, nurse)
        return desk.identify(visit, number=patient.number, born_on=patient.born_on, user=nurse)

    def _pump_of(self, implant: Implant, folder: Path) -> EmulatedPump:
        station = self.station
        data = folder / "pumps"
        return make_emulated_pump(data, station.store, station.catalogue, station.clock, implant)  # type: ignore[arg-type]

    def pair(self) -> None:
        """One patient, one pump that is not the patient's, one moment."""
        dice = self.dice
        moment = dice.choices(tuple(SHARES), tuple(SHARES.values()))[0]
        implant = dice.choice(self.implants) if moment == "from the beginning" else self.own
        key = bench_key(implant.serial)
        socket = Socket(key)
        stranger, serial = self._stranger(implant)
        shares_key = dice.random() < 0.5
        server = PumpServer(stranger, key if shares_key else bench_key(serial))
        port = PumpClient(socket.open, key, now=self.station.clock.utc, randomness=dice.randbytes)
        acts: dict[str, Callable[[], str]] = {
            "from the beginning": lambda: self._at_once(implant, socket, server, port),
            "before the draft": lambda: self._before_the_draft(socket, server, port),
            "before the commit": lambda: self._before_the_commit(socket, server, port),
        }
        own_serial, stranger.serial = stranger.serial, serial
        slot = stranger.memory.slot
        try:
            problem = acts[moment]()
        finally:
            stranger.serial = own_serial
        port.close()
        self.tally.pairs[moment] += 1
        self.tally.told.update(socket.told)
        self.tally.payload_bytes += socket.payload_bytes
        if stranger.memory.slot != slot or stranger.memory.applied:
            problem = problem or "the stranger's memory changed"
        if problem or socket.payload_bytes:
            self.tally.wrong.append(f"{implant.serial} and {serial}, {moment}: {problem}, {dict(socket.told)}")

    def _stranger(self, implant: Implant) -> tuple[EmulatedPump, str]:
        """Another patient's pump, by its own number or by one that looks like the right one."""
        other = self.dice.choice([one for one in self.implants if one.id != implant.id])
        if self.dice.random() < 0.5:
            return self.pumps[other.id], other.serial
        digits = list(implant.serial)
        while "".join(digits) == implant.serial:
            place = self.dice.randrange(len(digits))
            if place and self.dice.random() < 0.3:
                digits[place - 1], digits[place] = digits[place], digits[place - 1]
            else:
                digits[place] = self.dice.choice(ALPHABET)
        return self.pumps[other.id], "".join(digits)

    def _at_once(self, implant: Implant, socket: Socket, server: PumpServer, port: PumpClient) -> str:
        visit, socket.counting = self.visits[implant.id], True
        socket.plug(server)
        try:
            self.station.desk.interrogate(visit, port, self.bench.nurse)
        except (WrongPumpError, LinkLostError):
            return ""
        return "it was read as the patient's"

    def _before_the_draft(self, socket: Socket, server: PumpServer, port: PumpClient) -> str:
        station = self.station
        socket.plug(PumpServer(self.bench.pump, socket.key))
        port.interrogate()
        socket.plug(server)
        socket.counting = True
        model = station.desk.model_of(self.waiting)
        try:
            station.programming.stage(
                self.waiting, model, port, serial=self.own.serial, user_id=self.bench.physician.id
            )
        except (WrongPumpError, LinkLostError):
            return "" if not station.store.intents_in_doubt() else "an intent was written"
        return "a draft was laid into it"

    def _before_the_commit(self, socket: Socket, server: PumpServer, port: PumpClient) -> str:
        station, user = self.station, self.bench.physician.id
        right = PumpServer(self.bench.pump, socket.key)
        socket.plug(right)
        model = station.desk.model_of(self.waiting)
        staged = station.programming.stage(self.waiting, model, port, serial=self.own.serial, user_id=user)
        socket.plug(server)
        socket.counting = True
        visit = station.programming.send(staged, model, port, user_id=user)
        socket.counting = False
        said = visit.outcome
        socket.plug(right)
        visit = station.programming.settle(visit, staged.intent, port, user_id=user)
        if visit.outcome is not Outcome.NOT_APPLIED:
            return f"the right pump had it: {visit.outcome}"
        settings = visit.proposed
        assert settings is not None
        self.waiting = station.desk.propose(replace(visit), settings, self.bench.physician)
        return "" if said is Outcome.NOT_KNOWN else f"it was said to be {said}"


def run(pairs: int, seed: int, folder: Path, tell: Callable[[str], None] = lambda _words: None) -> Tally:
    """Try so many pairs."""
    room = Room(folder, random.Random(seed))
    for number in range(1, pairs + 1):
        room.pair()
        if number % 5_000 == 0:
            tell(f"{number:,} pairs, {len(room.tally.wrong)} wrong, {room.tally.payload_bytes} payload bytes")
    room.station.store.close()
    return room.tally


def main(arguments: list[str]) -> int:
    """Print what happened; 1 if a stranger was told anything."""
    parser = argparse.ArgumentParser(prog="pairs", description=__doc__)
    parser.add_argument("--pairs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    logging.disable(logging.WARNING)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="cisterna-pairs-") as folder:
        tally = run(chosen.pairs, chosen.seed, Path(folder), lambda words: print(words, flush=True))
    for title, counts in (("pairs", tally.pairs), ("told", tally.told)):
        print(title, ", ".join(f"{name} {count:,}" for name, count in counts.most_common()))
    for words in tally.wrong[:20]:
        print(words)
    seconds = time.monotonic() - began
    print(f"seed {chosen.seed}: {chosen.pairs:,} pairs, {tally.payload_bytes} payload bytes, {len(tally.wrong)} wrong, "
          f"{seconds:.0f} s")  # fmt: skip
    return 1 if tally.wrong or tally.payload_bytes else 0
