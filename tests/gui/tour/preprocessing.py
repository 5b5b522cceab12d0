"""The tour's part of the Defense dock: preprocessing switched on and moved, and the attack by an attacker who knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.gui.driving import choose_attack, click, press_keys, run_attack, settle, until

if TYPE_CHECKING:
    from gui.panels.defense import DefensePanel
    from tests.gui.tour.tour import Tour


def _dock(tour: Tour) -> DefensePanel:
    panel: DefensePanel = tour.window.panels["defense"]
    return panel


def _shown(tour: Tour) -> None:
    """Wait until the effect of the defense is in the frame, and both attackers are judged."""

    def there() -> bool:
        frame = tour.session.frame
        return frame is not None and frame.scene.defense == tour.session.defense and frame.observation.defended is not None

    until(there, "the effect of the defense")
    until(lambda: all(each.words != "…" for each in tour.session.attackers.both), "the judgement")
    settle()


def _add(tour: Tour, slug: str) -> None:
    steps = _dock(tour).steps
    assert steps is not None
    steps.menu.aboutToShow.emit()
    next(each for each in steps.menu.actions() if each.data() == slug).trigger()
    _shown(tour)


def empty(tour: Tour) -> None:
    tour.window.workspaces.switch("attack")
    choose_attack(tour.bench, "PGD")
    tour.window.bring_up("defense")
    settle()
    tour.picture("defense-none")


def unaware(tour: Tour) -> None:
    run_attack(tour.bench)
    _add(tour, "jpeg")
    _add(tour, "bit-depth")
    steps = _dock(tour).steps
    assert steps is not None
    slider = steps.rows[1].form.editor("bits").slider
    slider.setFocus()
    QTest.keyClick(slider, Qt.Key.Key_Left)
    QTest.keyClick(slider, Qt.Key.Key_Left)
    _shown(tour)
    assert tour.session.attackers.both[0].measured
    assert not tour.session.attackers.both[1].measured
    tour.picture("defense-against-one-who-does-not-know")


def aware(tour: Tour) -> None:
    click(_dock(tour).bar.buttons[1])
    until(lambda: not tour.session.runs.running, "the attack through the defense")
    _shown(tour)
    assert all(each.measured for each in tour.session.attackers.both)
    tour.picture("defense-against-one-who-knows")


def in_defend(tour: Tour) -> None:
    tour.window.workspaces.switch("defend")
    tour.window.bring_up("defense")
    _shown(tour)
    tour.picture("defense-in-defend")
    for _ in range(2):
        click(_dock(tour).steps.rows[0].remove)  # type: ignore[union-attr]
        settle()
    tour.window.workspaces.switch("attack")
    press_keys(tour.window, "Ctrl+Backspace")
    settle()


STAGES = (empty, unaware, aware, in_defend)
