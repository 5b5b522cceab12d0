"""The tour's story: an attack, a sticker, a spike, a bound, an explanation, a figure, and the other docks on the way."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QTabWidget

from engine.images import samples
from gui.export.figure_dialog import FigureDialog
from gui.shell.actions.file import open_path
from gui.shell.help_page import KeyboardHelp
from tests.gui.driving import choose_attack, drag, line, on_pane, press_keys, run_attack, settle, until

if TYPE_CHECKING:
    from tests.gui.tour.tour import Tour


def running(tour: Tour) -> None:
    press_keys(tour.window, "F5")
    until(lambda: tour.session.frame is not None and (tour.session.frame.step or 0) >= 3, "a step of PGD")
    tour.picture("pgd-running", moving=True)


def finished(tour: Tour) -> None:
    until(lambda: not tour.session.runs.running and tour.session.frame and tour.session.frame.step is None, "the end of PGD")
    settle()
    assert bool(tour.session.history.entries[-1].result.success[0])
    tour.picture("pgd-finished")


def drawing(tour: Tour) -> None:
    press_keys(tour.window, "Ctrl+Backspace")
    choose_attack(tour.bench, "Sticker content")
    press_keys(tour.window, "R")
    widget, points = on_pane(tour.bench, line((10.5, 20.5), (19.5, 26.5), 8))
    drag(widget, points, lambda place: tour.picture("drawing-sticker", moving=True) if place == 6 else None)
    settle()
    assert [(s.width, s.height) for s in tour.session.stickers] == [(10, 7)]


def optimised(tour: Tour) -> None:
    run_attack(tour.bench)
    assert bool(tour.session.history.entries[-1].result.flipped[0])
    tour.picture("sticker-optimised")


def dragging(tour: Tour) -> None:
    frames: list[object] = []
    tour.session.observed.connect(lambda: frames.append(tour.session.frame))
    widget, points = on_pane(tour.bench, line((14.5, 23.5), (18.5, 12.5), 24))

    def between(place: int) -> None:
        if place == 23:
            wanted = tour.session.stickers
            until(lambda: tour.session.frame is not None and tour.session.frame.scene.stickers == wanted, "the frame under the mouse")
            tour.picture("dragging-sticker", moving=True)

    drag(widget, points, between)
    assert frames
    press_undo(tour)


def spikes(tour: Tour) -> None:
    tour.window.bring_up("activations")
    settle()
    panel = tour.window.panels["activations"]
    panel.tabs.setCurrentIndex(1)
    settle()
    frame = tour.session.frame
    assert frame is not None
    assert frame.observation.spikes
    panel.choose(frame.observation.spikes[0].site)
    settle()
    tour.picture("spikes")


def bound(tour: Tour) -> None:
    panel = tour.window.panels["activations"]
    panel.scope.setCurrentIndex(1)
    panel.scope.activated.emit(1)
    plot = panel.plot
    start, end = plot.handle_point(), QPoint(round(plot.x_of(2.0)), plot.handle_point().y())
    drag(plot, [start, QPoint((start.x() + end.x()) // 2, start.y()), end])
    until(lambda: tour.session.frame is not None and tour.session.frame.observation.bounded is not None, "the bounded prediction")
    settle()
    tour.picture("bound")
    tour.session.set_bounds({})
    panel.tabs.setCurrentIndex(0)


def explanation(tour: Tour) -> None:
    tabs = tour.window.panels["perturbation"].findChild(QTabWidget)
    tabs.setCurrentIndex(1)
    until(lambda: tour.session.frame is not None and "saliency" in tour.session.frame.observation.explanations, "the explanation")
    settle()
    tour.picture("explanation")
    tabs.setCurrentIndex(0)


def figure(tour: Tour) -> None:
    press_keys(tour.window, "Ctrl+E")
    dialog = tour.window.findChild(FigureDialog)
    for name, check in dialog.checks.items():
        check.setChecked(name in ("clean", "adversarial", "perturbation", "bars", "histogram"))
    until(lambda: not dialog.picture.pixmap().isNull(), "the preview")
    settle()
    until(lambda: not tour.session.waiting("figure"), "the last preview")
    settle()
    tour.picture("figure-dialog", dialog)
    pdf = tour.out / "figure.pdf"
    dialog.export_to(pdf)
    until(pdf.with_name("figure.pdf.json").exists, "the exported figure")
    until(lambda: tour.window.findChild(FigureDialog) is None, "the end of the dialog")
    if shutil.which("pdftoppm"):
        stem = tour.next_path("exported-pdf").with_suffix("")
        subprocess.run(["pdftoppm", "-png", "-r", "200", "-singlefile", str(pdf), str(stem)], check=True)
        print(f"{stem}.png", flush=True)


def keyboard(tour: Tour) -> None:
    press_keys(tour.window, "F1")
    settle()
    page = tour.window.findChild(KeyboardHelp)
    tour.picture("keyboard-help", page)
    page.reject()
    settle()


def photograph(tour: Tour) -> None:
    path = next(sample.path for sample in samples() if sample.model == "signs" and sample.size == 256)
    before = tour.session.frame
    open_path(tour.window, path)
    until(lambda: tour.session.frame is not before and tour.session.photograph.path == path, "the photograph")
    tour.window.bring_up("image")
    settle()
    tour.picture("photograph")


def model(tour: Tour) -> None:
    tour.dock("model")


def sticker_list(tour: Tour) -> None:
    press_keys(tour.window, "R")
    widget, points = on_pane(tour.bench, line((5.5, 5.5), (12.5, 10.5), 4))
    drag(widget, points)
    tour.dock("stickers")


def compare(tour: Tour) -> None:
    tour.session.show_entry(tour.session.history.entries[0].number)
    settle()
    tour.picture("earlier-run")


def press_undo(tour: Tour) -> None:
    """Undo the drag, so that later stages show the sticker at the place where it was optimised."""
    wanted = len(tour.session.stickers)
    press_keys(tour.window, "Ctrl+Z")
    until(lambda: tour.session.frame is not None and tour.session.frame.scene.stickers is tour.session.stickers, "the frame after undo")
    settle()
    assert len(tour.session.stickers) == wanted


STAGES = (
    *(running, finished, drawing, optimised, dragging, spikes, bound, explanation, figure),
    *(keyboard, photograph, model, sticker_list, compare),
)
