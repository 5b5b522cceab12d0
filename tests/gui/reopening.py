"""A start of Gibbon that tells what it shows, does something, and ends in a given way. Tests run it in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

from PySide6.QtCore import QObject, QTimer

from gui import app


class Reporter(QObject):
    """Prints what the window shows at its first frame as JSON, then acts: ``close``, ``run`` (an attack, closed meanwhile),
    ``kill`` (the process kills itself after a save) or ``terminate`` (it gets SIGTERM during an attack)."""

    def __init__(self, bench: app.Workbench, act: str) -> None:
        super().__init__(bench.window)
        self._session, self._window, self._act, self._told = bench.session, bench.window, act, False
        self._said: list[str] = []
        bench.session.notice.connect(self._said.append)
        bench.session.observed.connect(self._on_observed)
        bench.session.runs.progressed.connect(self._on_run)
        bench.session.studies.saved.connect(self._on_saved)

    def _on_observed(self) -> None:
        if not self._told and self._session.frame is not None:
            self._told = True
            QTimer.singleShot(300, self, self._tell)  # after what the start still has to say

    def _tell(self) -> None:
        from engine.attacks import PGD
        from engine.stickers import Colour, Sticker
        from gui.session.stand_in import is_stand_in

        session = self._session
        print(
            json.dumps(
                {
                    "image": session.image.get("name"),
                    "runs": [[run.title, run.ended] for run in session.history.entries],
                    "shown": None if session.history.shown is None else session.history.shown.number,
                    "stickers": len(session.stickers),
                    "undo": session.undo_stack.count(),
                    "title": self._window.windowTitle(),
                    "stand_in": is_stand_in(session.classifier),
                    "said": self._said,
                }
            ),
            flush=True,
        )
        if self._act == "close":
            self._window.close()
        elif self._act in ("run", "terminate"):
            session.runs.start(PGD(steps=100_000))
        elif self._act == "kill":
            session.commit_stickers((Sticker(1, 2, 2, 8, 8, Colour()),), "Draw")
            session.studies.autosave()

    def _on_run(self) -> None:
        job = self._session.runs.job
        if job is None or job.index < 3:
            return
        if self._act == "terminate":
            self._act = ""
            os.kill(os.getpid(), signal.SIGTERM)
        elif self._act == "run":
            self._act = ""
            self._window.close()

    def _on_saved(self) -> None:
        if self._act == "kill":
            os.kill(os.getpid(), signal.SIGKILL)


def start(act: str, *arguments: str) -> None:
    """Start Gibbon as from the command line, and exit with its code."""
    build = app.build_workbench

    def built(argv: Any = None, **options: Any) -> app.Workbench:
        bench = build(argv, **options)
        Reporter(bench, act)
        return bench

    app.build_workbench = built  # type: ignore[assignment]
    sys.exit(app.main(["gibbon", *arguments]))
