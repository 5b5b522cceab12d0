"""Actions and seconds of whole tasks: ``python -m tests.benchmarks.tasks [--imagenet DIR]`` drives the window and prints a table.

An action is a key or a chord, one word or path typed, a click, a drag or a drop. Seconds are those of the program and of the machine: they
end when the result is on the screen or in its file, and hold no time for thinking.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if not os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from gui.app import Workbench, build_workbench
from tests.gui.driving import draw, press_keys, settle, until, wait_ready

PANDA = "n02510455_giant_panda.JPEG"


class Hand:
    """Does things in a window, and counts them."""

    def __init__(self, bench: Workbench) -> None:
        self.bench, self.session, self.window = bench, bench.session, bench.window
        self.actions = 0

    def keys(self, keys: str) -> None:
        """Press a key or a chord."""
        self.actions += 1
        press_keys(self._focused(), keys)
        settle()

    def type(self, text: str) -> None:
        """Type a word or a path where the keyboard is."""
        self.actions += 1
        QTest.keyClicks(self._focused(), text)
        settle()

    def click(self, button: QWidget) -> None:
        """Click a button."""
        self.actions += 1
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        settle()

    def drop(self, path: Path) -> None:
        """Drop a file on the window."""
        self.actions += 1
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(path))])
        place, copy, left, none = QPointF(400, 300), Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        QApplication.sendEvent(self.window, QDragEnterEvent(place.toPoint(), copy, mime, left, none))
        QApplication.sendEvent(self.window, QDropEvent(place, copy, mime, left, none))
        settle()

    def draw(self) -> None:
        """Press R and draw a sticker."""
        self.actions += 2
        draw(self.bench)

    def ran(self, before: int) -> None:
        """Wait until a run has been added and shown."""
        until(lambda: len(self.session.history.entries) > before and not self.session.runs.running, "the run", 300)
        until(lambda: self.session.frame is not None and self.session.frame.step is None, "its frame", 60)
        settle()

    def run(self) -> None:
        """Press F5 and wait for the result."""
        before = len(self.session.history.entries)
        self.keys("F5")
        self.ran(before)

    def attack(self, word: str) -> None:
        """Choose an attack by a word."""
        self.keys("Ctrl+Shift+A")
        self.type(word)
        self.keys("Return")

    def _focused(self) -> QWidget:
        popup = QApplication.activePopupWidget() or QApplication.activeModalWidget()
        if popup is not None:
            return popup.focusWidget() or popup
        return QApplication.focusWidget() or self.window


def figure(hand: Hand, folder: Path) -> None:
    """From the start to an exported figure."""
    from gui.export.figure_dialog import FigureDialog

    hand.run()
    hand.keys("Ctrl+E")
    dialog = hand.window.findChild(FigureDialog)
    hand.actions += 2  # Export, and Enter in the file dialog, which is the system's
    dialog.export_to(folder / "figure.pdf")
    until(lambda: (folder / "figure.pdf.json").exists(), "the figure")


def compare(hand: Hand, _folder: Path) -> None:
    """Two attacks on one image, side by side with their differences."""
    hand.run()
    hand.attack("mi-fgsm")
    hand.run()
    first, second = (run.number for run in hand.session.history.attacks[-2:])
    hand.keys("Alt+4")
    panel = hand.window.panels["runs"]
    view = panel.cards
    places = [view.visualRect(view.model().index(row, 0)).center() for row in (0, 1)]
    for place, modifier in zip(places, (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier), strict=True):
        hand.actions += 1
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, modifier, place)
        settle()
    hand.click(panel.buttons["compare"])
    until(lambda: set(hand.session.compared) == {first, second}, "the comparison")
    settle()


def carry(hand: Hand, _folder: Path) -> None:
    """A sticker, optimised and taken to another image."""
    hand.draw()
    hand.attack("sticker")
    hand.run()
    before, stickers = hand.session.clean, hand.session.stickers
    hand.keys("Ctrl+I")
    hand.type("priority")
    until(
        lambda: hand.window.spine.image.list.tree.findItems("Priority", Qt.MatchFlag.MatchStartsWith | Qt.MatchFlag.MatchRecursive),
        "the list",
    )
    hand.keys("Return")
    until(lambda: hand.session.clean is not before and hand.session.frame is not None, "the other image")
    assert [sticker.content for sticker in hand.session.stickers] == [sticker.content for sticker in stickers]


def panda(hand: Hand, imagenet: Path) -> None:
    """A panda that one's own checkpoint takes for a gibbon."""
    hand.drop(imagenet / "squeezenet1_0.pth")
    until(lambda: QApplication.activeModalWidget() is not None, "the question", 60)
    dialog = QApplication.activeModalWidget()
    until(lambda: "squeezenet1_0" in (getattr(dialog, "chosen", None) or ""), "the guess", 120)
    hand.keys("Return")
    until(lambda: hand.session.classifier is not None and len(hand.session.classifier.labels) == 1000, "the model", 120)
    before = hand.session.clean
    hand.drop(imagenet / "images" / PANDA)
    until(lambda: hand.session.clean is not before and hand.session.frame is not None, "the panda", 60)
    hand.keys("Ctrl+L")
    hand.keys("Tab")
    hand.type("gibbon")
    hand.keys("Return")
    hand.keys("Esc")
    until(lambda: hand.session.target == 368, "the target")
    hand.run()
    assert hand.session.frame is not None
    assert hand.session.frame.observation.adversarial_prediction == 368


def gif(hand: Hand, folder: Path) -> None:
    """An animation of an attack for a talk."""
    from gui.export.animation_dialog import AnimationDialog

    hand.run()
    hand.keys("Ctrl+Shift+P")
    hand.type("export animation")
    hand.keys("Return")
    dialog = hand.window.findChild(AnimationDialog)
    hand.actions += 2  # Export, and Enter in the file dialog
    dialog.export_to(folder / "attack.gif")
    until(lambda: (folder / "attack.gif").exists(), "the animation", 300)
    settle()


def reopen(hand: Hand, _folder: Path) -> None:
    """Yesterday's work again: it is back at the start."""
    until(lambda: bool(hand.session.history.entries), "the runs of the session before", 120)


TASKS: dict[str, Callable[[Hand, Path], None]] = {
    "start to exported figure": figure,
    "compare two attacks": compare,
    "sticker carried to another image": carry,
    "a GIF for a talk": gif,
    "reopen yesterday's study": reopen,
}


def measured(task: Callable[[Hand, Path], None], folder: Path, *, restore: bool = False) -> tuple[int, float]:
    """Open a window, do a task in it, close it; return actions and seconds."""
    bench = build_workbench([sys.argv[0]], restore=restore)
    bench.window.resize(1280, 800)
    bench.window.show()
    wait_ready(bench)
    hand, began = Hand(bench), time.perf_counter()
    task(hand, folder)
    seconds = time.perf_counter() - began
    bench.window.close()
    bench.shut_down()
    settle()
    return hand.actions, seconds


def main() -> int:
    """Measure every task, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.tasks", description=str(__doc__).splitlines()[0])
    parser.add_argument("--imagenet", type=Path, help="folder with squeezenet1_0.pth and images/, for the panda")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "HOME"):
            os.environ[name] = home
        print(f"{'task':36}{'actions':>8}{'seconds':>9}")
        for name, task in TASKS.items():
            actions, seconds = measured(task, Path(home), restore=task is reopen)
            print(f"{name:36}{actions:8d}{seconds:9.1f}", flush=True)
        if chosen.imagenet is not None:
            actions, seconds = measured(panda, chosen.imagenet)
            print(f"{'panda to gibbon, own checkpoint':36}{actions:8d}{seconds:9.1f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
