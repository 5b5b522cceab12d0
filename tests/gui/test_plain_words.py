"""Words of a file, a model or a person are plain text wherever the window says them, and every sign of them is seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyqtgraph as pg
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QApplication,
    QGraphicsTextItem,
    QGraphicsView,
    QLabel,
    QMenu,
    QMessageBox,
    QTabWidget,
    QToolTip,
    QWidget,
)

import engine
from gui import theme
from gui.app import Workbench
from gui.shell.actions.file import open_path
from tests.gui.driving import choose_attack, run_attack, settle, until
from tests.gui.panel_scenes import small

EVIL = "<b>x & y<img src='passwd'>"


@pytest.fixture
def hostile(bench: Workbench, tmp_path: Path) -> Iterator[Workbench]:
    """Model, classes and image of that name; an attack; an error; a number that is none."""
    session = bench.session
    before = session.classifier
    assert before is not None
    path = tmp_path / f"{EVIL}.png"
    Image.new("RGB", (16, 16), (200, 30, 60)).save(path)
    model = small().derive(name=EVIL)
    labels = tuple(f"{EVIL} {number}" for number in range(model.num_classes))
    evil = engine.Classifier(model.module, labels, model.input_shape, name=EVIL, device="cpu", card={"licence": EVIL, "notes": [EVIL]})
    session.set_classifier(evil)
    open_path(bench.window, path)
    until(lambda: session.frame is not None and session.image["name"] == path.name and session.frame.scene.classifier is evil, "the image")
    session.set_label(1)
    choose_attack(bench, "PGD")
    run_attack(bench)
    for panel in bench.window.docks:
        bench.window.docks[panel].raise_()
        settle()
    session.log("error", f"Something is wrong with {EVIL}.", EVIL)
    settle()
    yield bench
    session.set_classifier(before)
    settle()


def rich(widget: QWidget | None) -> bool:
    """Whether the program itself writes the markup of a label, or of the message box that it is in."""
    return widget is not None and (bool(widget.property("rich")) or rich(widget.parentWidget()))


def shown_markup() -> list[str]:
    """The texts of all labels and graphics that would be rendered as markup although a stranger wrote it."""
    found = []
    for widget in QApplication.allWidgets():
        if isinstance(widget, QLabel):
            widget.ensurePolished()
            if rich(widget):
                if "<img" in widget.text() or "<b>x" in widget.text():
                    found.append(widget.text())
            elif widget.textFormat() != Qt.TextFormat.PlainText:
                found.append(f"not plain: {widget.text()}")
        if isinstance(widget, QGraphicsView):
            found += [item.toHtml() for item in widget.scene().items() if isinstance(item, QGraphicsTextItem) and "<img" in item.toHtml()]
    return found


def test_no_words_of_a_stranger_are_markup(hostile: Workbench) -> None:
    assert any(EVIL in label.text() for label in hostile.window.findChildren(QLabel))  # they are on the screen
    assert shown_markup() == []


def test_a_number_that_is_markup_is_said_as_it_was_typed(hostile: Workbench) -> None:
    from gui.forms import Form
    from gui.widgets import Message

    panel = hostile.window.panels["attack"]
    (form,) = [form for form in panel.findChildren(Form) if form.isVisibleTo(panel)]
    form.editor("eps").setValue(EVIL)
    settle()
    (message,) = [message for message in panel.findChildren(Message) if EVIL in message.text]
    label = next(label for label in message.findChildren(QLabel) if EVIL in label.text())
    assert label.textFormat() == Qt.TextFormat.PlainText
    form.reset()


def test_tool_tips_are_plain(hostile: Workbench) -> None:
    """There is one kind of label for all of them: of widgets, tabs, menus, rows of a table."""
    QToolTip.showText(QPoint(10, 10), EVIL, hostile.window)
    settle()
    (tip,) = [widget for widget in QApplication.topLevelWidgets() if widget.metaObject().className() == "QTipLabel"]
    assert isinstance(tip, QLabel)
    assert tip.text() == EVIL
    assert tip.textFormat() == Qt.TextFormat.PlainText
    QToolTip.hideText()


def test_message_boxes_are_plain_and_those_of_the_program_are_not(hostile: Workbench) -> None:
    box = QMessageBox(hostile.window)
    box.setText(EVIL)
    box.setInformativeText(EVIL)
    own = theme.rich(QMessageBox(hostile.window))
    own.setText("<b>bold</b>")
    for each, wanted in ((box, Qt.TextFormat.PlainText), (own, Qt.TextFormat.RichText)):
        each.show()
        settle()
        assert {label.textFormat() for label in each.findChildren(QLabel) if label.text()} == {wanted}
        each.close()
        each.deleteLater()


def test_axes_of_plots_take_no_markup(hostile: Workbench) -> None:
    import numpy as np

    from gui.plots.curves import Axes, Curves, Line

    curves = Curves(hostile.window)
    curves.set_lines(np.arange(3.0), [Line(EVIL, np.arange(3.0), "#000000"), Line("b", np.ones(3), "#111111")], Axes(EVIL, EVIL))
    for side in ("left", "bottom"):
        axis: pg.AxisItem = curves.plot.getAxis(side)
        assert axis.label.toPlainText().strip() == EVIL
    assert "<img" not in curves.key.text()
    assert "&lt;img" in curves.key.text()
    curves.deleteLater()


def test_every_sign_is_seen_in_menus_tabs_and_titles(hostile: Workbench, tmp_path: Path) -> None:
    """Qt takes ``&`` for the mark of a shortcut, and ``[*]`` for the place of a star."""
    window, session = hostile.window, hostile.session
    shared = tmp_path / "cats & dogs [*].png"
    Image.new("RGB", (16, 16)).save(shared)
    open_path(window, shared)
    until(lambda: session.image["name"] == shared.name, "the image")
    settle()
    recent = next(menu for menu in window.findChildren(QMenu) if menu.title() == "Open recent")
    recent.aboutToShow.emit()
    assert recent.actions()[0].text() == "cats && dogs [*].png"
    undo = next(action for action in window.findChildren(QAction) if action.text().startswith("Undo"))
    assert undo.text() == "Undo Open cats && dogs [*].png"
    assert "[*][*]" in window.windowTitle()
    tabs = [tab.tabText(i) for tab in window.panels["results"].findChildren(QTabWidget) for i in range(tab.count())]
    assert all("&" not in text.replace("&&", "") for text in tabs)
