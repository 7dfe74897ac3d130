"""Which port is used, and whether the right pump answers there.

Law: a port is used only because somebody chose it: on the command line for this run, else as it is kept on disk. A
choice is on disk before it is used; a file that cannot be read means the emulated pumps, and is named.
"""

from __future__ import annotations

from collections.abc import Callable

from app.models.errors import AppError
from app.models.patient import Implant
from app.models.pump import LinkLostError, PumpIdentity, PumpPort, WrongPumpError
from app.models.serial_ports import FoundPort, PortFinder, PortKeeper, PortNotReadError, is_emulated, require_address

PumpOn = Callable[[Callable[[], str | None], Implant], PumpPort]
"""Makes the port to a patient's pump, unconnected; the cable is asked for by name each time one is opened."""


class PortDesk:
    """The ports of this workstation; ``None`` is the emulated pumps in this program.

    Args:
        find: looks which ports there are.
        keeper: where the choice outlives the program; without one it does not.
        pump_on: makes the port to a patient's pump.
        for_this_run: the port of the command line, which wins over the kept one until another is chosen.
    """

    def __init__(
        self, find: PortFinder, keeper: PortKeeper | None, pump_on: PumpOn, *, for_this_run: str | None = None
    ) -> None:
        self._find = find
        self._keeper = keeper
        self._pump_on = pump_on
        self.for_this_run = for_this_run
        self.trouble: AppError | None = None
        try:
            self.kept = keeper.load() if keeper is not None else None
        except PortNotReadError as error:
            self.kept, self.trouble = None, error
        self.chosen = self.kept if for_this_run is None else for_this_run

    @property
    def emulated(self) -> bool:
        """Whether the pumps at the chosen port are those of this program."""
        return is_emulated(self.chosen)

    @property
    def is_kept(self) -> bool:
        """Whether the next start without a port on the command line uses the same one."""
        return self.trouble is None and self.kept == self.chosen

    def found(self) -> tuple[FoundPort, ...]:
        """The ports of this computer. Raises: PortsNotListedError."""
        return tuple(self._find())

    def choose(self, port: str | None) -> None:
        """Keep ``port``, then use it from now on.

        Raises:
            ImpossibleAddressError: nothing has changed.
            PortNotKeptError: nothing has changed.
        """
        if port is not None:
            require_address(port)
        if self._keeper is not None:
            self._keeper.keep(port)
        self.kept, self.trouble = port, None
        self.chosen, self.for_this_run = port, None

    def try_out(self, port: str | None, implant: Implant) -> PumpIdentity:
        """Who answers at ``port``, asked as the pump of ``implant``; the cable is let go of whatever happens.

        Raises:
            LinkLostError: with the port and what is wrong with it.
            WrongPumpError: another pump is there.
        """
        pump = self._pump_on(lambda: port, implant)
        try:
            identity = pump.connect()
        except LinkLostError as lost:
            raise LinkLostError(**{**({"port": port} if port else {}), **lost.values}) from None
        finally:
            pump.close()
        if identity.serial != implant.serial:
            raise WrongPumpError(expected=implant.serial, found=identity.serial)
        return identity
