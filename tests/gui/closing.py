"""A start of Gibbon that closes its window at a given moment. Tests run it in a process of its own."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from gui import app
from gui.shell.actions.edit import copy_adversarial
from gui.shell.actions.file import save_to


class Closer(QObject):
    """Closes the window at a moment, by its name; ``interrupted`` waits for a signal from outside."""

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
        elif self._moment.startswith("copied"):
            self._copy()
        elif self._moment in ("own code", "asking"):
            self._load()
        elif not self._attacked:
            from engine.attacks import PGD

            self._attacked = True
            self._session.runs.start(PGD(steps=100_000))

    def _save(self) -> None:
        """Request two saves while the lane is busy, and close the window at once."""
        self._moment = "saved"
        self._session.ask("busy", lambda: time.sleep(0.3), lambda _: None, what="Being busy")
        for name in ("first.png", "second.png", "no such folder/third.png"):
            save_to(self._session, Path(name))
        self._window.close()

    def _load(self) -> None:
        """Load a user's model whose function never returns, or a checkpoint that opens a dialog, and close the window meanwhile."""
        own, self._moment = self._moment == "own code", ""
        panel = self._window.panels["model"]
        path = Path("own.py" if own else "weights.pth").absolute()
        if own:
            begun = path.with_name("begun")
            path.write_text(
                f"import pathlib, time\ndef make():\n    print('begun', flush=True)\n    pathlib.Path({str(begun)!r}).touch()\n"
                "    time.sleep(3600)\n",
                "utf-8",
            )
            panel.load(f"{path}:make", allow_code=True)
            self._close_when(begun)
        else:
            import torch

            torch.save({"weight": torch.zeros(2)}, path)
            self._session.ask("busy", lambda: time.sleep(0.3), lambda _: None, what="Being busy")
            panel.load_checkpoint(path)
            self._window.close()

    def _close_when(self, there: Path) -> None:
        """Close the window a moment after a file is there."""
        QTimer.singleShot(300, self._window.close if there.exists() else lambda: self._close_when(there))

    def _copy(self) -> None:
        """Copy the image or a sticker to the clipboard, and close the window."""
        from engine.stickers import Colour, Sticker

        if self._moment == "copied image":
            copy_adversarial(self._window)
        elif not self._session.stickers:
            print("ready", flush=True)
            self._session.commit_stickers((Sticker(1, 2, 2, 8, 8, Colour()),), "Draw")
            return
        else:
            self._session.select(1)
            QTest.keyClick(self._window.canvas, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
        self._moment = ""
        print(*QGuiApplication.clipboard().mimeData().formats(), flush=True)
        QTimer.singleShot(0, self._window.close)

    def _on_run(self) -> None:
        job = self._session.runs.job
        if job is None or job.index < 3:
            return
        if self._moment == "paused" and not job.paused:
            self._session.runs.pause(True)
        self._window.close()


def close_when(moment: str, *arguments: str) -> None:
    """Start Gibbon, close it at the moment, report that, and exit with the application's code."""
    build = app.build_workbench

    def built(argv: Any = None, **options: Any) -> app.Workbench:
        bench = build(argv, **options)
        Closer(bench, moment)
        return bench

    app.build_workbench = built  # type: ignore[assignment]
    code = app.main(["gibbon", *([] if "--restore" in arguments else [app.FRESH]), *arguments])
    QApplication.processEvents()
    print("closed", *(type(window).__name__ for window in QApplication.topLevelWidgets() if window.isVisible()), flush=True)
    sys.exit(code)
