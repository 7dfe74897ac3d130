"""What was done to a program, so that all of it can be undone and done again.

Law: a history is an immutable value without a limit; undo returns the very program that stood before the edit, never
one that is worked out backwards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.models.program import Program


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit in words. ``program`` is the one to go back to (in the past) or forward to (in the future)."""

    program: Program
    words: str
    joins: str | None = None


@dataclass(frozen=True, slots=True)
class History:
    """``past`` has the latest edit last, ``future`` the next one to be done again last."""

    past: tuple[Edit, ...]
    now: Program
    future: tuple[Edit, ...]

    @classmethod
    def of(cls, program: Program) -> History:
        """A history that begins here."""
        return cls((), program, ())

    def do(self, program: Program, words: str, *, joins: str | None = None) -> History:
        """``program`` is what stands now; ``words`` say what was done to get there.

        Edits in a row with the same ``joins`` are one edit under the last words, so that a drag is one undo; give each
        drag a key of its own. A program that is equal to the one now changes nothing.
        """
        if program == self.now:
            return self
        if joins is None or self.future or not self.past or self.past[-1].joins != joins:
            return History((*self.past, Edit(self.now, words, joins)), program, ())
        earlier, begun = self.past[:-1], self.past[-1]
        if program == begun.program:
            return History(earlier, program, ())
        return History((*earlier, replace(begun, words=words)), program, ())

    def undo(self) -> History:
        """One edit back; the same where there is none."""
        if not self.past:
            return self
        last = self.past[-1]
        return History(self.past[:-1], last.program, (*self.future, Edit(self.now, last.words)))

    def redo(self) -> History:
        """One edit forward; the same where there is none. What was done again is joined by nothing."""
        if not self.future:
            return self
        following = self.future[-1]
        return History((*self.past, Edit(self.now, following.words)), following.program, self.future[:-1])

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
