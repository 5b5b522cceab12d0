"""The column of header, canvas and foot in the window's middle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QLabel

from gui.shell.centre import Centre
from tests.gui.driving import settle

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


def fixed(height: int) -> QLabel:
    label = QLabel("slot")
    label.setFixedHeight(height)
    return label


def test_the_slots_stand_above_and_below_the_canvas_in_any_order(qtbot: QtBot) -> None:
    centre = Centre()
    qtbot.addWidget(centre)
    centre.resize(400, 300)
    centre.show()
    foot, canvas, header = fixed(48), QLabel("canvas"), fixed(32)
    centre.set_foot(foot)
    centre.set_canvas(canvas)
    centre.set_header(header)
    settle()
    assert [widget.geometry().getRect() for widget in (header, canvas, foot)] == [(0, 0, 400, 32), (0, 32, 400, 220), (0, 252, 400, 48)]


def test_a_slot_is_replaced_and_emptied(qtbot: QtBot) -> None:
    centre = Centre()
    qtbot.addWidget(centre)
    centre.resize(400, 300)
    centre.show()
    first, second = fixed(32), fixed(40)
    centre.set_header(first)
    centre.set_header(second)
    settle()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert not shiboken6.isValid(first)
    assert centre.canvas.geometry().getRect() == (0, 40, 400, 260)
    centre.set_header(None)
    settle()
    assert centre.canvas.geometry().getRect() == (0, 0, 400, 300)
    assert centre.header is None


def test_the_veil_covers_the_canvas_alone_until_it_is_lifted(qtbot: QtBot) -> None:
    centre = Centre()
    qtbot.addWidget(centre)
    centre.resize(400, 300)
    centre.show()
    canvas = QLabel("Open an image")
    centre.set_canvas(canvas)
    centre.set_header(fixed(32))
    settle()
    assert centre.childAt(canvas.geometry().center()) is not canvas
    centre.resize(500, 360)
    settle()
    (veil,) = (label for label in centre.findChildren(QLabel) if label.text() == "Loading…")
    assert veil.geometry() == canvas.geometry()
    centre.lift_veil()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert centre.childAt(canvas.geometry().center()) is canvas
