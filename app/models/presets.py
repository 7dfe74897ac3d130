"""Published schedules to begin from.

Law: a preset is read from the catalogue with its citation, and is never sent as it is: it is put before a person to be
edited and confirmed (rule DOS-08).
"""

from __future__ import annotations

from dataclasses import dataclass

from app.models.program import Program
from app.models.quantities import Concentration


@dataclass(frozen=True, slots=True)
class Preset:
    """One published schedule.

    ``concentration`` is ``None`` where the publication gives none; ``note`` says what it leaves open, and how that was
    filled in here.
    """

    id: str
    title: str
    citation: str
    program: Program
    concentration: Concentration | None
    note: str
