"""The one undo command: the fields of the state that a step changed, before and after."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping, Set
from typing import Any

from PySide6.QtGui import QUndoCommand, QUndoStack

from gui.session.state import same

MERGE_S = 2.0
"""Seconds within which edits of one key are merged into one undo step."""
LIMIT = 100
"""Undo steps that are kept. Each holds one image at most, which it shares with the state."""
_COMMAND = 1


class ReplaceFields(QUndoCommand):
    """Restores fields of the state to their values before or after a step. It is pushed when the change has already happened."""

    def __init__(
        self,
        put: Callable[[Mapping[str, Any]], None],
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        text: str,
        key: Hashable | None = None,
    ) -> None:
        super().__init__(text)
        self._put, self._before, self._after = put, dict(before), dict(after)
        self._key = key
        """Steps of one key are merged; None for a step that is never merged."""
        self._at = time.monotonic()
        self._happened = True

    def values_of(self, name: str) -> tuple[Any, ...]:
        """Return the values between which the step changes a field: none if it leaves the field alone."""
        return tuple(fields[name] for fields in (self._before, self._after) if name in fields)

    def undo(self) -> None:
        self._put(self._before)

    def redo(self) -> None:
        if self._happened:
            self._happened = False
        else:
            self._put(self._after)

    def id(self) -> int:
        return -1 if self._key is None else _COMMAND

    def mergeWith(self, other: QUndoCommand) -> bool:
        """Merge a later step of the same key into this one. A merged step without any effect is marked obsolete."""
        if not isinstance(other, ReplaceFields) or other._key != self._key or other._at - self._at > MERGE_S:
            return False
        self._before = {**other._before, **self._before}
        self._after.update(other._after)
        self._at = other._at
        self.setText(other.text())
        self.setObsolete(all(same(value, self._after[name]) for name, value in self._before.items()))
        return True


def undoable_removals(stack: QUndoStack, removed: Set[int]) -> frozenset[int]:
    """Return the numbers of the removed runs that an undo or redo step of a stack brings back."""
    steps = (stack.command(place) for place in range(stack.count()))
    sets = [numbers for step in steps if isinstance(step, ReplaceFields) for numbers in step.values_of("removed")]
    return frozenset(number for number in removed if any(number not in numbers for numbers in sets))
