"""ExceptionHook: unexpected errors of any thread go to the messages with their details, and the window continues."""

from __future__ import annotations

import sys
import threading
import traceback
from types import TracebackType
from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import QObject, Signal, Slot

if TYPE_CHECKING:
    from gui.session.session import Session


class ExceptionHook(QObject):
    """Replaces Python's exception hooks. The signal carries errors of other threads to the main thread."""

    caught = Signal(str, str)

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._logging = False
        self.caught.connect(self._on_caught)

    def install(self) -> None:
        """Replace Python's hooks of the main thread and of all others."""
        sys.excepthook = self.hook
        threading.excepthook = lambda args: self.hook(args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback)

    def hook(self, kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
        """Print an unexpected error as Python does, and log it."""
        sys.__excepthook__(kind, error, where)
        if shiboken6.isValid(self) and not self._logging and not issubclass(kind, (KeyboardInterrupt, SystemExit)):
            details = "".join(traceback.format_exception(kind, error, where))
            self.caught.emit(
                f"Something unexpected happened ({kind.__name__}: {error}). The work so far is kept; the details are here.", details
            )

    @Slot(str, str)
    def _on_caught(self, text: str, details: str) -> None:
        self._logging = True  # an error in the messages themselves must not be logged again
        try:
            self._session.log("error", text, details)
        finally:
            self._logging = False
