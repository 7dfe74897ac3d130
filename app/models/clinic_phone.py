"""The clinic's emergency number, which stands on every patient's card.

Law: a number is text that somebody typed here and is kept as typed; where none is set, paper has a line to write on.
"""

from __future__ import annotations

from typing import Protocol

from app.models.errors import AppError

LONGEST_PHONE = 40
_FEWEST_DIGITS = 3


class ImpossiblePhoneError(AppError):
    """This is no number that anybody could call."""


class PhoneNotKeptError(AppError):
    """The number could not be written to ``file``; ``problem`` says why."""


class PhoneKeeper(Protocol):
    """Where the number outlives the program."""

    def load_phone(self) -> str:
        """The number that was kept, empty if none was. Raises: PortNotReadError."""
        ...

    def keep_phone(self, phone: str) -> None:
        """Keep ``phone``; it is on the disk when this returns. Raises: PhoneNotKeptError."""
        ...


def require_phone(phone: str) -> None:
    """Check that ``phone`` may be a telephone number: one line, three digits or more, at most 40 characters.

    Raises: ImpossiblePhoneError.
    """
    digits = sum(character in "0123456789" for character in phone)
    if not phone.isprintable() or len(phone) > LONGEST_PHONE or digits < _FEWEST_DIGITS:
        raise ImpossiblePhoneError(phone=phone)
