"""The application: one window with one session. Importing this module imports neither torch nor matplotlib."""

from __future__ import annotations

import atexit
import os
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import shiboken6
from PySide6.QtCore import QObject, QSocketNotifier, Slot
from PySide6.QtWidgets import QApplication

from gui.session.session import Session
from gui.session.studies.places import sessions_folder
from gui.settings import Settings
from gui.shell.exception_hook import ExceptionHook
from gui.shell.garbage import Garbage
from gui.shell.main_window import MainWindow
from gui.shell.start_up import Opening, StartUp
from gui.theme import Theme

FRESH = "--fresh"
"""The option that begins with the stop sign in place of the last session."""
SWITCH_INTERVAL = 0.001
"""Seconds after which Python switches threads: short, so that the window stays smooth while the engine thread works."""


@dataclass(eq=False)
class Workbench:
    """The application, its session and its window."""

    app: QApplication
    session: Session
    window: MainWindow

    def shut_down(self) -> bool:
        """Shut the session down; return whether its threads have ended. Closing, quitting and exiting all call this."""
        return not shiboken6.isValid(self.session) or self.session.shut_down()


def build_workbench(argv: Sequence[str] | None = None, *, restore: bool = False) -> Workbench:
    """Build session and window without showing the window; the engine begins to load after its first paint.

    The first argument that is not an option is the image or study to open, with ``--copy`` a copy of the study. Without it the window
    opens the last session if ``restore`` is set, else the stop sign.
    """
    sys.setswitchinterval(SWITCH_INTERVAL)
    arguments = list(argv or sys.argv[:1])
    app = QApplication.instance() or QApplication(arguments)
    assert isinstance(app, QApplication)
    file = next((Path(argument) for argument in arguments[1:] if not argument.startswith("-")), None)
    app.setApplicationName("gibbon")
    app.setApplicationDisplayName("Gibbon")
    app.setDesktopFileName("gibbon")
    settings = Settings()
    session = Session()
    window = MainWindow(session, settings, Theme(app, settings.store))
    session.studies.begin(sessions_folder())
    StartUp(session, window, Opening(file, copy="--copy" in arguments, restore=restore))
    bench = Workbench(app, session, window)
    app.aboutToQuit.connect(bench.shut_down)
    return bench


def main(argv: Sequence[str] | None = None) -> int:
    """Open the window, and return the exit code after it was closed. With ``--fresh`` the last session is not opened again."""
    fresh = FRESH in (argv or sys.argv)
    bench = build_workbench(argv, restore=not fresh)
    ExceptionHook(bench.session).install()
    garbage = Garbage(bench.app)
    bench.session.engineReady.connect(garbage.settle)
    atexit.register(bench.shut_down)
    interrupts = _Interrupts(bench.app)
    bench.window.show()
    code = bench.app.exec()
    interrupts.stop()
    garbage.stop()
    if not bench.shut_down():
        # The thread is in an import or a long kernel. Destroying a running thread would crash, so the process exits at once.
        sys.stderr.flush()
        os._exit(code)
    return code


class _Interrupts(QObject):
    """Lets Ctrl+C in the terminal close the window. The signal writes a byte to a socket, which wakes Qt so that Python's handler runs."""

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._read, self._write = socket.socketpair()
        for end in (self._read, self._write):
            end.setblocking(False)
        signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: app.quit())
        QSocketNotifier(self._read.fileno(), QSocketNotifier.Type.Read, self).activated.connect(self._wake)

    @Slot()
    def _wake(self) -> None:
        self._read.recv(64)

    def stop(self) -> None:
        """Restore Python's default signal handlers."""
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)


if __name__ == "__main__":
    raise SystemExit(main())
