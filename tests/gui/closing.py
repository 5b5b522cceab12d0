"""A start of Gibbon that closes its window at a given moment; run in a process of its own."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer

from gui import app


class Closer(QObject):
    """Closes the window when the moment has come; ``interrupted`` waits for a signal from outside."""

    def __init__(self, bench: app.Workbench, moment: str) -> None:
        super().__init__(bench.window)
        self._session, self._window, self._moment, self._attacked = bench.session, bench.window, moment, False
        bench.session.busyChanged.connect(self._on_busy)
        bench.session.observed.connect(self._on_observed)
        bench.session.runs.progressed.connect(self._on_run)
        if moment == "painted":
            QTimer.singleShot(0, self._window.close)

    def _on_busy(self, _text: str) -> None:
        if self._moment == "interrupted":
            print("painted", flush=True)
        elif self._moment == "loading":
            QTimer.singleShot(200, self._window.close)

    def _on_observed(self) -> None:
        if self._moment == "opened":
            if self._session.image["name"] != "sign-stop-32.png":
                print(self._session.image["name"], flush=True)
                QTimer.singleShot(0, self._window.close)
        elif self._moment == "ready":
            QTimer.singleShot(0, self._window.close)
        elif self._moment == "saving":
            self._save()
        elif not self._attacked:
            from engine.attacks import PGD

            self._attacked = True
            self._session.runs.start(PGD(steps=100_000))

    def _save(self) -> None:
        """Ask for two files while the lane is busy, and close at once."""
        self._moment = "saved"
        self._session.ask("busy", lambda: time.sleep(0.3), lambda _: None, what="Being busy")
        for name in ("first.png", "second.png", "no such folder/third.png"):
            self._window.commands.save_to(Path(name))
        self._window.close()

    def _on_run(self) -> None:
        job = self._session.runs.job
        if job is None or job.index < 3:
            return
        if self._moment == "paused" and not job.paused:
            self._session.runs.pause(True)
        self._window.close()


def close_when(moment: str, *arguments: str) -> None:
    """Start, close, say so, and exit with the application's code."""
    build = app.build_workbench

    def built(argv: Any = None) -> app.Workbench:
        bench = build(argv)
        Closer(bench, moment)
        return bench

    app.build_workbench = built  # type: ignore[assignment]
    code = app.main(["gibbon", *arguments])
    print("closed", flush=True)
    sys.exit(code)
