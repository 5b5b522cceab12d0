"""The one undo command: some fields of the state as they were, and as they became."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from typing import Any

from PySide6.QtGui import QUndoCommand

from gui.session.state import same

MERGE_S = 2.0
"""Edits of one thing that follow each other within this time are one step."""
LIMIT = 100
"""How many steps are kept: each holds on to an image at most, which it shares with the state."""
_COMMAND = 1


class ReplaceFields(QUndoCommand):
    """Puts fields back, or forth again. It is pushed when the change has already happened."""

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
        """Steps of one key merge; None: this one merges with none."""
        self._at = time.monotonic()
        self._happened = True

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
        """Take a later step into this one; a step that ends where it began goes."""
        if not isinstance(other, ReplaceFields) or other._key != self._key or other._at - self._at > MERGE_S:
            return False
        self._before = {**other._before, **self._before}
        self._after.update(other._after)
        self._at = other._at
        self.setText(other.text())
        self.setObsolete(all(same(value, self._after[name]) for name, value in self._before.items()))
        return True
