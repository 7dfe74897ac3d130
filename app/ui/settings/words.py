"""The words of the settings page for what can be wrong with an address, with the kept file, and with a cable.

Law: a sentence says first what to do, then why.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from app.models.errors import AppError
from app.models.patient import Role
from app.models.pump import CableProblem, LinkLostError, WrongPumpError
from app.models.serial_ports import AddressProblem, ImpossibleAddressError, PortNotKeptError, PortNotReadError

_CONTEXT = "SettingsWords"

_ADDRESS: dict[object, str] = {
    AddressProblem.EMPTY: "Type an address, like socket://192.168.1.20:4001.",
    AddressProblem.ODD_CHARACTER: "Type it again without spaces: no address has them.",
    AddressProblem.TOO_LONG: "Shorten it: no address is that long.",
    AddressProblem.NO_DEVICE: "Begin with socket:// for a pump on the network, or with the whole name of a port.",
    AddressProblem.UNKNOWN_SCHEME: "Begin with socket://, rfc2217:// or itbemu://; no other kind of address is known.",
    AddressProblem.NO_HOST: "Name the computer after //, like socket://HOST:4001.",
    AddressProblem.NO_PORT_NUMBER: "End with a colon and a port number from 1 to 65535, like socket://HOST:4001.",
    AddressProblem.NO_SERIAL: "Name the pump after //, like itbemu://EMU-100191.",
}

_WORD: dict[object, str] = {
    CableProblem.NOT_THERE: "Not there",
    CableProblem.BUSY: "Taken",
    CableProblem.FORBIDDEN: "Not allowed",
    CableProblem.UNPLUGGED: "Unplugged",
    CableProblem.HUNG: "Driver hangs",
    CableProblem.SILENT: "No answer",
    CableProblem.SLOW: "Incomplete",
    CableProblem.NOISE: "No pump",
}

_ROLES = {
    Role.NURSE: "nurse",
    Role.PHYSICIAN: "physician",
}


def role_words(role: Role) -> str:
    """What somebody is."""
    return _said(_ROLES[role])


def address_words(error: ImpossibleAddressError) -> str:
    """What to type instead."""
    return _said(_ADDRESS[error.values["problem"]])


def problem_words(error: AppError) -> str:
    """What became of the file in which the port is kept, or of an address that is none."""
    if isinstance(error, ImpossibleAddressError):
        return address_words(error)
    file, problem = error.values.get("file"), error.values.get("problem")
    if isinstance(error, PortNotKeptError):
        return _said("Make room, or the folder writable, then try again: {0} was not written ({1}).").format(
            file, problem
        )
    if isinstance(error, PortNotReadError):
        return _said("Choose a port anew: {0} cannot be understood ({1}), and no port is taken from it.").format(
            file, problem
        )
    return str(error)


def word_for(error: Exception) -> str:
    """One or two words for a cable that is of no use."""
    if isinstance(error, WrongPumpError):
        return _said("Wrong pump")
    problem = error.values.get("problem") if isinstance(error, LinkLostError) else None
    return _said(_WORD.get(problem, "No answer"))


def is_grave(error: Exception) -> bool:
    """Whether going on could reach the wrong patient."""
    return isinstance(error, WrongPumpError)


def _said(words: str) -> str:
    return QCoreApplication.translate(_CONTEXT, words)
