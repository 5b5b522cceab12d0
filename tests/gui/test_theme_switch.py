"""A theme switch repaints the window and leaves its style sheet alone; forms that are not in use let go of their widgets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QPushButton, QTabBar, QWidget

from gui import theme
from gui.app import Workbench
from gui.widgets.check_list import Check, CheckList
from tests.gui.driving import action, settle, until


@pytest.fixture
def chosen(bench: Workbench) -> Iterator[Workbench]:
    before = bench.window.theme.choice
    yield bench
    bench.window.theme.choose(before)
    settle()


def ground(widget: QWidget) -> QColor:
    return widget.grab().toImage().pixelColor(4, widget.height() // 2)


def test_a_switch_reaches_every_widget_and_polishes_none(chosen: Workbench) -> None:
    """Setting the application's style sheet again would polish every widget, which takes most of a second."""
    polished: list[str] = []

    class Counting(QWidget):
        def event(self, event: QEvent) -> bool:
            if event.type() == QEvent.Type.StyleChange:
                polished.append("polished")
            return super().event(event)

    Counting(chosen.window.panels["image"])
    for choice, dark in (("dark", True), ("light", False), ("dark", True)):
        action(chosen, f"theme_{choice}").trigger()
        settle()
        wanted = theme.palette(dark)
        primary = next(b for b in chosen.window.findChildren(QPushButton) if b.property("primary") and b.isVisible() and b.isEnabled())
        assert ground(primary) == wanted.highlight().color()
        for name, panel in chosen.window.panels.items():
            assert panel.palette().window().color() == wanted.window().color(), name
            for child in panel.findChildren(QWidget):
                if not (child.styleSheet() or child.property("primary") or child.property("choice")):  # these name their own colours
                    assert theme.is_dark(child.palette()) == dark, (name, child)
        (tabs, *_) = [bar for bar in chosen.window.findChildren(QTabBar) if bar.isVisible() and bar.count() > 1]
        line = tabs.grab().toImage().pixelColor(tabs.tabRect(tabs.currentIndex()).center().x(), tabs.height() - 1)
        assert line == wanted.highlight().color()
    assert not polished


def widgets() -> int:
    settle()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    return len(QApplication.allWidgets())


def test_choosing_many_attacks_leaves_no_widgets_behind(bench: Workbench) -> None:
    from engine.attacks import CATALOGUE

    session = bench.session
    first = session.plan.slug

    def round_trip() -> int:
        for slug in (*list(CATALOGUE)[::3], first):
            session.change(**session.plan.choosing(slug))
            settle()
        until(lambda: not session.waiting("frame"), "the frame")
        return widgets()

    assert round_trip() == round_trip()


def test_what_was_typed_comes_back_with_its_attack(bench: Workbench) -> None:
    session, panel = bench.session, bench.window.panels["attack"]
    from gui.forms import Form

    def form() -> Form:
        (found,) = [form for form in panel.findChildren(Form) if form.isVisibleTo(panel)]
        return found

    session.change(**session.plan.choosing("pgd"))
    settle()
    form().editor("steps").setValue(7)
    session.change(**session.plan.choosing("fgsm"))
    settle()
    session.change(**session.plan.choosing("pgd"))
    settle()
    assert form().editor("steps").value() == 7
    form().reset()


@pytest.mark.parametrize("choice", ["dark", "light"])
def test_empty_boxes_of_lists_are_seen_in_both_themes(chosen: Workbench, choice: str) -> None:
    action(chosen, f"theme_{choice}").trigger()
    checks = CheckList("Models", 2, chosen.window)
    checks.set_checks([Check("one", "one"), Check("two", "two")], ["two"])
    checks.show()
    settle()
    picture = checks.grab().toImage()
    row = checks.visualItemRect(checks.item(0))
    ground = checks.palette().base().color()
    box = [picture.pixelColor(x, y) for x in range(row.left(), row.left() + 20) for y in range(row.top(), row.bottom())]
    assert max(theme.contrast_ratio(colour, ground) for colour in box) >= 1.8
    checks.deleteLater()
