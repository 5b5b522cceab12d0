"""Host: the part of the session that studies need."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from PySide6.QtGui import QUndoStack

    from gui.session.attack_runner import AttackRunner
    from gui.session.batch_table import BatchTable, MatrixTable
    from gui.session.history import History
    from gui.session.loaded_models import LoadedModels
    from gui.session.log_entry import LogKind
    from gui.session.scene import Frame
    from gui.session.state import State


class Host(Protocol):
    """The session, which is also the parent of the objects that take it."""

    batch: BatchTable
    matrix: MatrixTable
    history: History
    loaded: LoadedModels
    runs: AttackRunner
    undo_stack: QUndoStack
    ask: Callable[..., None]
    state: State
    classifierChanged: Any
    notice: Any

    @property
    def frame(self) -> Frame | None: ...
    def change(self, text: str = "", **fields: Any) -> bool:
        """Replace fields of the state."""
        ...

    def log(self, kind: LogKind, text: str, details: str = "") -> None:
        """Add a message."""
        ...
