"""The settings as the window sees them: where a pump may be, which place is used, and what trying it came to.

Law: nothing is used or tried but by one of the two verbs; what stands in the way of them is said in one sentence and
changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from importlib.metadata import version

from PySide6.QtCore import QObject, Signal

from app.models.patient import Implant
from app.models.pump import PumpIdentity
from app.models.serial_ports import (
    FoundPort,
    ImpossibleAddressError,
    PortNotKeptError,
    PortsNotListedError,
    require_address,
)
from app.services.clinic_phone import PhoneDesk
from app.services.port_desk import PortDesk
from app.services.therapy import Therapy
from app.services.working_days import WorkingDays
from app.services.workstation import Workstation
from app.ui.background import Background
from app.ui.error_texts import words_for
from app.ui.settings.words import address_words, is_grave, problem_words, role_words, word_for
from app.ui.state_mark import Mark


class Hold(Enum):
    """What a refill has under way with the pump."""

    DIALOGUE = "dialogue"
    DRAFT = "draft"


class Kind(Enum):
    """What is at a place, and the sign for it."""

    EMULATED = "emulator"
    FOUND = "plug"
    UNNAMED = "question"
    MISSING = "unplug"
    ADDRESS = "forward"


@dataclass(frozen=True, slots=True)
class Place:
    """One line of the list. ``port`` is ``None`` for the emulated pumps, and empty for an address not yet typed."""

    kind: Kind
    port: str | None
    title: str
    detail: str
    in_use: bool


@dataclass(frozen=True, slots=True)
class Said:
    """What came of a verb: a mark with its word, and one sentence."""

    mark: Mark
    word: str
    sentence: str


class SettingsViewModel(QObject):
    """The ports, and the pump to try them with: that of the patient who is open.

    Args:
        hold: what a refill has under way with the pump.
        let_go: closes the cable that a refill may have open.
    """

    changed = Signal()
    """Other ports, another choice, or another patient."""
    said = Signal(object)
    """A :class:`Said`, or ``None`` when there is nothing to say."""
    busyChanged = Signal(str)
    """Where a pump is being asked; empty when none is."""
    portChosen = Signal()
    """Another port is used from now on."""

    def __init__(
        self,
        workstation: Workstation,
        background: Background,
        parent: QObject | None = None,
        *,
        hold: Callable[[], Hold | None],
        let_go: Callable[[], None],
    ) -> None:
        super().__init__(parent)
        self._workstation = workstation
        self._background = background
        self._hold, self._let_go = hold, let_go
        self._therapy: Therapy | None = None
        self._found: tuple[FoundPort, ...] = ()
        self._not_listed = ""
        self.busy = ""

    @property
    def _ports(self) -> PortDesk:
        return self._workstation.ports

    @property
    def working_days(self) -> WorkingDays:
        """The clinic's country and region, and their holidays."""
        return self._workstation.working_days

    @property
    def phones(self) -> PhoneDesk:
        """The clinic's emergency number."""
        return self._workstation.phones

    # -- what there is ---------------------------------------------------------------------------------------

    def open(self, therapy: Therapy | None) -> None:
        """Show the ports as they are now; they are tried with that patient's pump."""
        if therapy is None or self._therapy is None or therapy.patient.id != self._therapy.patient.id:
            self.said.emit(None)
        self._therapy = therapy
        self.look()

    def look(self) -> None:
        """Look again which ports there are."""
        try:
            self._found, self._not_listed = self._ports.found(), ""
        except PortsNotListedError as error:
            self._found, self._not_listed = (), str(error.values["problem"])
        self.changed.emit()

    def places(self) -> tuple[Place, ...]:
        """Where a pump may be; the last one is an address that is typed."""
        chosen = self._ports.chosen
        emulated = Place(
            Kind.EMULATED,
            None,
            self.tr("Emulated pumps, in this program"),
            self.tr("Each at its patient; no cable is needed"),
            chosen is None,
        )
        found = (
            Place(Kind.FOUND if port.named else Kind.UNNAMED, port.name, port.title, port.detail, chosen == port.name)
            for port in self._found
        )
        return (emulated, *self._missing(), *found, self._address())

    def _is_address(self, port: str | None) -> bool:
        return port is not None and "://" in port

    def _missing(self) -> tuple[Place, ...]:
        """The chosen port, if it is not found now."""
        chosen = self._ports.chosen
        if chosen is None or self._is_address(chosen) or any(port.name == chosen for port in self._found):
            return ()
        return (Place(Kind.MISSING, chosen, chosen, self.tr("Not found now: plug the adapter in, look again"), True),)

    def _address(self) -> Place:
        chosen = self._ports.chosen
        title = self.tr("Another address")
        if chosen is not None and self._is_address(chosen):
            return Place(Kind.ADDRESS, chosen, title, chosen, True)
        return Place(Kind.ADDRESS, "", title, self.tr("A pump on the network, typed below"), False)

    def nothing_found(self) -> str:
        """Why no port stands in the list, if none does."""
        if self._not_listed:
            return self.tr("Look again: this computer did not tell its ports ({0}).").format(self._not_listed)
        if self._found:
            return ""
        return self.tr("No serial port is found. Plug the adapter in, then look again.")

    def notice(self) -> str:
        """What the user must know about the choice, in words; usually nothing."""
        ports = self._ports
        if ports.trouble is not None:
            return problem_words(ports.trouble)
        if ports.for_this_run is None:
            return ""
        if ports.is_kept:
            return self.tr("This run was started with --port {0}.").format(ports.for_this_run)
        kept = self.tr("the emulated pumps") if ports.kept is None else ports.kept
        return self.tr("This run was started with --port {0}, which goes before what is kept: {1}.").format(
            ports.for_this_run, kept
        )

    def facts(self) -> tuple[tuple[str, str], ...]:
        """Caption and text of what else there is to know about this workstation."""
        station = self._workstation
        return (
            (self.tr("User"), f"{station.user.name}, {role_words(station.user.role)}"),
            (self.tr("Data folder"), str(station.reports.parent)),
            (self.tr("Version"), f"Cisterna {version('cisterna')}"),
        )

    # -- whom to try it with ---------------------------------------------------------------------------------

    def _implant(self) -> Implant | None:
        return self._therapy.implant if self._therapy is not None else None

    @property
    def can_try(self) -> bool:
        """Whether there is a pump to ask for, and none is being asked."""
        return self._implant() is not None and not self.busy

    def whom(self) -> str:
        """Which pump would be asked for, or what is missing."""
        implant = self._implant()
        if self._therapy is None:
            return self.tr("Choose a patient first: a port is tried with the pump of the patient who is open.")
        name = self._therapy.patient.name
        if implant is None:
            return self.tr("Choose another patient to try a port: no pump is on record for {0}.").format(name)
        return self.tr("Trying asks for pump {0} of {1}, and changes nothing.").format(implant.serial, name)

    # -- the verbs -------------------------------------------------------------------------------------------

    def address_problem(self, address: str) -> str:
        """Why an address is impossible, in words; empty if it may be one."""
        try:
            require_address(address)
        except ImpossibleAddressError as error:
            return address_words(error)
        return ""

    def can_use(self, port: str | None) -> bool:
        """Whether using ``port`` would change anything, now or at the next start."""
        return not self.busy and not (port == self._ports.chosen and self._ports.is_kept)

    def use(self, port: str | None) -> None:
        """Work with the pump at ``port`` from now on, and keep that."""
        why_not = self._why_not_now() or (self._why_not_another() if port != self._ports.chosen else "")
        if why_not:
            self._refuse(why_not)
            return
        try:
            self._ports.choose(port)
        except (ImpossibleAddressError, PortNotKeptError) as error:
            self._refuse(problem_words(error))
            return
        self._let_go()
        self.portChosen.emit()
        self.changed.emit()
        words = self.tr("{0} is used from now on, and at the next start.")
        if port is None:
            words = self.tr("The emulated pumps are used from now on, and at the next start.")
        self.said.emit(Said(Mark.VERIFIED, self.tr("In use"), words.format(port)))

    def try_out(self, port: str | None) -> None:
        """Ask at ``port`` for the open patient's pump; nothing is changed by that."""
        implant = self._implant()
        why_not = self._why_not_now() if implant is not None else self.whom()
        if implant is None or why_not:
            self._refuse(why_not)
            return
        self._let_go()
        self.said.emit(None)
        self._set_busy(port or self.tr("the emulated pump"))

        def finish(identity: PumpIdentity) -> None:
            self._set_busy("")
            self.said.emit(self._answered(port, identity))

        def fail(error: Exception) -> None:
            self._set_busy("")
            self.said.emit(Said(Mark.BLOCK if is_grave(error) else Mark.CONFIRM, word_for(error), words_for(error)))

        self._background.run(lambda: self._ports.try_out(port, implant), finish, fail)

    def _answered(self, port: str | None, identity: PumpIdentity) -> Said:
        model = self._workstation.catalogue.pumps.get(identity.model)
        name = model.name if model is not None else identity.model
        words = self.tr("{0}, {1}, answers at {2}.")
        if port is None:
            words = self.tr("{0}, {1}, answers in this program.")
        return Said(Mark.VERIFIED, self.tr("Answers"), words.format(identity.serial, name, port))

    def _why_not_now(self) -> str:
        """What may not be disturbed by another cable."""
        if self.busy or self._hold() is Hold.DIALOGUE:
            return self.tr("Wait a moment: the pump is being spoken to.")
        if self._hold() is Hold.DRAFT:
            return self.tr(
                "Send the settings that lie sealed in the pump, or go back from them: they wait on this cable."
            )
        return ""

    def _why_not_another(self) -> str:
        """Which pump must still be asked at the port that is used."""
        store = self._workstation.store
        serials = {intent.serial for intent in store.intents_in_doubt()}
        serials |= {order.serial for order in store.orders_in_doubt()}
        if not serials:
            return ""
        return self.tr("Ask pump {0} first: the result of an order is not known, and only that pump can tell.").format(
            ", ".join(sorted(serials))
        )

    def _refuse(self, why: str) -> None:
        self.said.emit(Said(Mark.NOTE, self.tr("Not now"), why))

    def _set_busy(self, where: str) -> None:
        self.busy = where
        self.busyChanged.emit(where)
