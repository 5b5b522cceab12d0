"""The tour: the real window, driven by mouse and keys through the story, one picture per stage.

    python -m tests.gui.tour OUT_DIR [--size 1280x800] [--theme light|dark] [--part story|docks|attacks]

Runs offscreen where there is no display, else on it (``xvfb-run -a python -m tests.gui.tour OUT_DIR``).
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtCore import QPoint
    from PySide6.QtGui import QPixmap
    from PySide6.QtWidgets import QWidget

    from gui.app import Workbench


class Tour:
    """One window on its way through the story. Each stage checks what it shows before it takes its picture."""

    def __init__(self, bench: Workbench, out: Path) -> None:
        self.bench, self.out = bench, out
        self.window, self.session = bench.window, bench.session
        self._count = 0

    def stages(self, part: str = "") -> list[Callable[[], None]]:
        """Return the stages in order; with ``part`` only those of one part."""
        from tests.gui import tour_attacks, tour_docks

        attacks, docks = tour_attacks.stages(self), tour_docks.stages(self)
        if part == "docks":
            return [self.painted, self.loading, self.ready, *docks]
        if part == "attacks":
            return [self.painted, self.loading, self.ready, *attacks]
        return [
            *(self.painted, self.loading, self.ready, self.running, self.finished, self.drawing, self.optimised, self.dragging),
            *(self.spikes, self.bound, self.explanation, self.figure, self.keyboard, self.photograph, self.model, self.sticker_list),
            *(self.compare, *docks, self.error, self.log),
            *([] if part == "story" else attacks),
        ]

    def picture(self, name: str, dialog: QWidget | None = None, *, moving: bool = False, at: QPoint | None = None) -> None:
        """Save the window as a picture, with a dialog or list on top of it. Unless ``moving``, wait until all updates are done."""
        from PySide6.QtGui import QColor, QPainter

        from tests.gui.driving import settle, until

        if not moving:
            prediction = self.window.panels["prediction"]
            until(lambda: all(tile.value != "…" for tile in prediction.view.figures.figures), "the similarity")
            settle()
        shot = self.window.grab()
        if dialog is not None:
            with QPainter(shot) as painter:
                over = dialog.grab()
                if at is not None:
                    painter.drawPixmap(at, over)
                else:
                    painter.fillRect(shot.rect(), QColor(0, 0, 0, 110))
                    painter.drawPixmap((shot.width() - over.width()) // 2, (shot.height() - over.height()) // 2, over)
        self._save(shot, name)

    def _save(self, shot: QPixmap, name: str) -> None:
        self._count += 1
        path = self.out / f"{self._count:02d}-{name}.png"
        assert shot.save(str(path)), path
        print(path, flush=True)

    # ------------------------------------------------------------------ the story

    def painted(self) -> None:
        assert "torch" not in sys.modules
        self.picture("painted-before-torch", moving=True)

    def loading(self) -> None:
        from tests.gui.driving import settle, until

        until(lambda: self.window.panels, "the panels")
        settle()
        assert self.session.frame is None
        self.picture("loading", moving=True)

    def ready(self) -> None:
        from tests.gui.driving import wait_ready

        wait_ready(self.bench)
        frame = self.session.frame
        assert frame is not None
        seen = frame.observation
        assert frame.scene.classifier.labels[seen.clean_prediction] == "Stop"
        assert float(seen.clean.max()) > 0.99
        self.picture("ready")

    def running(self) -> None:
        from tests.gui.driving import press_keys, until

        press_keys(self.window, "F5")
        until(lambda: self.session.frame is not None and (self.session.frame.step or 0) >= 3, "a step of PGD")
        self.picture("pgd-running", moving=True)

    def finished(self) -> None:
        from tests.gui.driving import settle, until

        until(lambda: not self.session.runs.running and self.session.frame and self.session.frame.step is None, "the end of PGD")
        settle()
        assert bool(self.session.history.entries[-1].result.success[0])
        self.picture("pgd-finished")

    def drawing(self) -> None:
        from tests.gui.driving import choose_attack, drag, line, on_pane, press_keys, settle

        press_keys(self.window, "Ctrl+Backspace")
        choose_attack(self.bench, "Sticker content")
        press_keys(self.window, "R")
        widget, points = on_pane(self.bench, line((10.5, 20.5), (19.5, 26.5), 8))
        drag(widget, points, lambda place: self.picture("drawing-sticker", moving=True) if place == 6 else None)
        settle()
        assert [(s.width, s.height) for s in self.session.stickers] == [(10, 7)]

    def optimised(self) -> None:
        from tests.gui.driving import run_attack

        run_attack(self.bench)
        assert bool(self.session.history.entries[-1].result.flipped[0])
        self.picture("sticker-optimised")

    def dragging(self) -> None:
        from tests.gui.driving import drag, line, on_pane, until

        frames: list[object] = []
        self.session.observed.connect(lambda: frames.append(self.session.frame))
        widget, points = on_pane(self.bench, line((14.5, 23.5), (18.5, 12.5), 24))

        def between(place: int) -> None:
            if place == 23:
                wanted = self.session.stickers
                until(lambda: self.session.frame is not None and self.session.frame.scene.stickers == wanted, "the frame under the mouse")
                self.picture("dragging-sticker", moving=True)

        drag(widget, points, between)
        assert frames
        press_undo(self)

    def spikes(self) -> None:
        from tests.gui.driving import settle

        panel = self.window.panels["activations"]
        panel.tabs.setCurrentIndex(1)
        settle()
        frame = self.session.frame
        assert frame is not None
        assert frame.observation.spikes
        panel.choose(frame.observation.spikes[0].site)
        settle()
        self.picture("spikes")

    def bound(self) -> None:
        from PySide6.QtCore import QPoint

        from tests.gui.driving import drag, settle, until

        panel = self.window.panels["activations"]
        panel.scope.setCurrentIndex(1)
        panel.scope.activated.emit(1)
        plot = panel.plot
        start, end = plot.handle_point(), QPoint(round(plot.x_of(2.0)), plot.handle_point().y())
        drag(plot, [start, QPoint((start.x() + end.x()) // 2, start.y()), end])
        until(lambda: self.session.frame is not None and self.session.frame.observation.bounded is not None, "the bounded prediction")
        settle()
        self.picture("bound")
        self.session.set_bounds({})
        panel.tabs.setCurrentIndex(0)

    def explanation(self) -> None:
        from PySide6.QtWidgets import QTabWidget

        from tests.gui.driving import settle, until

        tabs = self.window.panels["perturbation"].findChild(QTabWidget)
        tabs.setCurrentIndex(1)
        until(lambda: self.session.frame is not None and "saliency" in self.session.frame.observation.explanations, "the explanation")
        settle()
        self.picture("explanation")
        tabs.setCurrentIndex(0)

    def figure(self) -> None:
        from gui.export.figure_dialog import FigureDialog
        from tests.gui.driving import press_keys, settle, until

        press_keys(self.window, "Ctrl+E")
        dialog = self.window.findChild(FigureDialog)
        for name, check in dialog.checks.items():
            check.setChecked(name in ("clean", "adversarial", "perturbation", "bars", "histogram"))
        until(lambda: not dialog.picture.pixmap().isNull(), "the preview")
        settle()
        until(lambda: not self.session.waiting("figure"), "the last preview")
        settle()
        self.picture("figure-dialog", dialog)
        pdf = self.out / "figure.pdf"
        dialog.export_to(pdf)
        until(pdf.with_name("figure.pdf.json").exists, "the exported figure")
        until(lambda: self.window.findChild(FigureDialog) is None, "the end of the dialog")
        if shutil.which("pdftoppm"):
            self._count += 1
            stem = self.out / f"{self._count:02d}-exported-pdf"
            subprocess.run(["pdftoppm", "-png", "-r", "200", "-singlefile", str(pdf), str(stem)], check=True)
            print(f"{stem}.png", flush=True)

    def keyboard(self) -> None:
        from gui.shell.help_page import KeyboardHelp
        from tests.gui.driving import press_keys, settle

        press_keys(self.window, "F1")
        settle()
        page = self.window.findChild(KeyboardHelp)
        self.picture("keyboard-help", page)
        page.reject()
        settle()

    # ------------------------------------------------------------------ the other docks

    def photograph(self) -> None:
        from engine.images import samples
        from tests.gui.driving import settle, until

        path = next(sample.path for sample in samples() if sample.model == "signs" and sample.size == 256)
        before = self.session.frame
        self.window.commands.open_path(path)
        until(lambda: self.session.frame is not before and self.session.photograph.path == path, "the photograph")
        self.window.bring_up("image")
        settle()
        self.picture("photograph")

    def model(self) -> None:
        self._dock("model")

    def sticker_list(self) -> None:
        from tests.gui.driving import drag, line, on_pane, press_keys

        press_keys(self.window, "R")
        widget, points = on_pane(self.bench, line((5.5, 5.5), (12.5, 10.5), 4))
        drag(widget, points)
        self._dock("stickers")

    def compare(self) -> None:
        from tests.gui.driving import settle

        self.session.show_entry(self.session.history.entries[0].number)
        settle()
        self.picture("earlier-run")

    def error(self) -> None:
        from tests.gui.driving import settle, until

        broken = self.out / "not-an-image.png"
        broken.write_text("<html>This is a web page.</html>")
        said: list[str] = []
        self.session.notice.connect(said.append)
        self.window.commands.open_path(broken)
        until(lambda: said, "the error")
        settle()
        self.picture("error")
        broken.unlink()

    def log(self) -> None:
        self._dock("log")

    def _dock(self, name: str) -> None:
        from tests.gui.driving import settle

        self.window.bring_up(name)
        settle()
        self.picture(f"dock-{name}")


def press_undo(tour: Tour) -> None:
    """Undo the drag, so that later stages show the sticker at the place where it was optimised."""
    from tests.gui.driving import press_keys, settle, until

    wanted = len(tour.session.stickers)
    press_keys(tour.window, "Ctrl+Z")
    until(lambda: tour.session.frame is not None and tour.session.frame.scene.stickers is tour.session.stickers, "the frame after undo")
    settle()
    assert len(tour.session.stickers) == wanted


def main(argv: list[str] | None = None) -> int:
    """Take the tour; return 0 if every stage passed its checks."""
    parser = argparse.ArgumentParser(prog="python -m tests.gui.tour", description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="folder for the pictures")
    parser.add_argument("--size", default="1280x800", help="of the window, such as 1920x1080")
    parser.add_argument("--theme", choices=("light", "dark"), default="light")
    parser.add_argument("--part", choices=("story", "docks", "attacks"), default="", help="of the tour; default: all of it")
    chosen = parser.parse_args(argv)
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as home:
        os.environ["XDG_CONFIG_HOME"] = home  # settings of its own: the tour begins like a first start
        return take(chosen.out, *map(int, chosen.size.split("x")), chosen.theme, chosen.part)


def take(out: Path, width: int, height: int, theme: str, part: str = "") -> int:
    """Go through all stages, in a window of a given size."""
    from gui.app import build_workbench
    from gui.shell.exception_hook import ExceptionHook

    out.mkdir(parents=True, exist_ok=True)
    bench = build_workbench([])
    errors: list[str] = []
    bench.session.logged.connect(lambda entry: errors.append(f"{entry.text}\n{entry.details}") if entry.kind == "error" else None)
    ExceptionHook(bench.session).install()
    bench.window.theme.choose(theme)  # type: ignore[arg-type]
    bench.window.resize(width, height)
    bench.window.show()
    tour = Tour(bench, out)
    try:
        for stage in tour.stages(part):
            stage()
            expected = stage == tour.error
            if errors and not expected:
                print("\n".join(errors), file=sys.stderr)
                return 1
            errors.clear()
    finally:
        bench.window.close()
        bench.shut_down()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
