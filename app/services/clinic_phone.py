"""The clinic's emergency number: read once at the start, changed in the settings.

Law: what is used is what is on disk; a file that cannot be read means no number, never a wrong one.
"""

from __future__ import annotations

from app.models.clinic_phone import PhoneKeeper, require_phone
from app.models.errors import AppError


class PhoneDesk:
    """``phone`` is the number, empty where none is set; ``trouble`` why none could be read.

    Args:
        keeper: where the number outlives the program; without one it does not.
    """

    def __init__(self, keeper: PhoneKeeper | None = None) -> None:
        self._keeper = keeper
        self.phone = ""
        self.trouble: AppError | None = None
        try:
            self.phone = keeper.load_phone() if keeper is not None else ""
        except AppError as error:
            self.trouble = error

    def choose(self, phone: str) -> None:
        """Keep ``phone`` without the spaces around it, then use it; empty takes the number away.

        Raises: ImpossiblePhoneError, PhoneNotKeptError: nothing has changed.
        """
        phone = phone.strip()
        if phone:
            require_phone(phone)
        if self._keeper is not None:
            self._keeper.keep_phone(phone)
        self.phone, self.trouble = phone, None
