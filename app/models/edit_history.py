"""What was done to a program, or to settings with their program, so that all of it can be undone and done again.

Law: a history is an immutable value without a limit; undo returns the very value that stood before the edit, never
one that is worked out backwards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

Edited = TypeVar("Edited")
"""What is edited: an immutable value."""


@dataclass(frozen=True, slots=True)
class Edit(Generic[Edited]):
    """One edit in words. ``value`` is the one to go back to (in the past) or forward to (in the future)."""

    value: Edited
    words: str
    joins: str | None = None


@dataclass(frozen=True, slots=True)
class History(Generic[Edited]):
    """``past`` has the latest edit last, ``future`` the next one to be done again last."""

    past: tuple[Edit[Edited], ...]
    now: Edited
    future: tuple[Edit[Edited], ...]

    @classmethod
    def of(cls, value: Edited) -> History[Edited]:
        """A history that begins here."""
        return cls((), value, ())

    def do(self, value: Edited, words: str, *, joins: str | None = None) -> History[Edited]:
        """``value`` is what stands now; ``words`` say what was done to get there.

        Edits in a row with the same ``joins`` are one edit under the last words, so that a drag is one undo; give each
        drag a key of its own. A value that is equal to the one now changes nothing.
        """
        if value == self.now:
            return self
        if joins is None or self.future or not self.past or self.past[-1].joins != joins:
            return History((*self.past, Edit(self.now, words, joins)), value, ())
        earlier, begun = self.past[:-1], self.past[-1]
        if value == begun.value:
            return History(earlier, value, ())
        return History((*earlier, replace(begun, words=words)), value, ())

    def undo(self) -> History[Edited]:
        """One edit back; the same where there is none."""
        if not self.past:
            return self
        last = self.past[-1]
        return History(self.past[:-1], last.value, (*self.future, Edit(self.now, last.words)))

    def redo(self) -> History[Edited]:
        """One edit forward; the same where there is none. What was done again is joined by nothing."""
        if not self.future:
            return self
        following = self.future[-1]
        return History((*self.past, Edit(self.now, following.words)), following.value, self.future[:-1])

    @property
    def may_undo(self) -> bool:
        return bool(self.past)

    @property
    def may_redo(self) -> bool:
        return bool(self.future)

    @property
    def undo_words(self) -> str:
        """What undo would take back; empty where there is nothing."""
        return self.past[-1].words if self.past else ""

    @property
    def redo_words(self) -> str:
        """What redo would do again; empty where there is nothing."""
        return self.future[-1].words if self.future else ""
