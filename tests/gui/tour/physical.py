"""The tour's stages of stickers that leave the screen: transformations before a run, distortions, printing, and where to put one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog

from engine.stickers import Optimised, Sticker
from gui.panels.attack.transformations import PreviewButton
from gui.session.state import AttackSettings
from tests.gui.driving import action, choose_attack, click, run_attack, settle, until

if TYPE_CHECKING:
    from tests.gui.tour.tour import Tour

STICKER = Sticker(1, 12, 17, 9, 8, Optimised())


def transformations(tour: Tour) -> None:
    """What the first step of an attack looks at, before it runs."""
    session = tour.session
    tour.window.workspaces.switch("stickers")
    session.change(stickers=(STICKER,), selected=1, region="stickers", delta=None, run=None)
    choose_attack(tour.bench, "Adversarial patch")
    session.change(settings=AttackSettings({"steps": 40, "samples": 16}))
    tour.window.bring_up("attack")
    settle()
    tour.picture("patch-form")
    button = tour.window.panels["attack"].findChild(PreviewButton)
    assert button is not None
    click(button)
    dialog = _dialog(tour)
    until(lambda: dialog.words.text != "", "the transformations")
    settle()
    tour.picture("patch-transformations", dialog)
    dialog.close()
    run_attack(tour.bench)
    tour.picture("patch-optimised")


def distortion(tour: Tour) -> None:
    """A distortion under the slider, and all of them measured."""
    tour.window.bring_up("distortion")
    panel = tour.window.panels["distortion"]
    until(lambda: panel.built, "the dock's parts")
    settle()
    live = panel.desk.live
    until(lambda: live.shown is not None and live.strip_shown is not None, "the distorted images")
    settle()
    tour.picture("distortion-live")
    measuring = panel.desk.measuring
    click(measuring.foot.run)
    until(lambda: measuring.runner.job is None and measuring.outcome is not None, "the numbers", 120)
    settle()
    tour.picture("distortion-measured")


def printing(tour: Tour) -> None:
    """The sheet of the sticker, at its true size."""
    action(tour.bench, "print_stickers").trigger()
    dialog = _dialog(tour)
    until(lambda: not dialog.preview.picture.pixmap().isNull(), "the sheet")
    settle()
    tour.picture("print-sheet", dialog)
    dialog.close()
    settle()


def landscape(tour: Tour) -> None:
    """Where a white sticker would flip the sign, under the mouse."""
    session = tour.session
    session.change(stickers=(), selected=None, region="image", delta=None, run=None)
    choose_attack(tour.bench, "Sticker landscape")
    session.change(settings=AttackSettings({"stride": 2, "colour": "white"}))
    run_attack(tour.bench)
    tour.window.bring_up("results")
    settle()
    page = tour.window.panels["results"].tabs.widget(0)
    QTest.mouseMove(page.map, page.map.rect_of((16, 20)).center())
    settle()
    tour.picture("landscape")
    session.change(stickers=(), selected=None, delta=None, run=None)
    tour.window.workspaces.switch("attack")
    settle()


def _dialog(tour: Tour) -> QDialog:
    until(lambda: any(one.isVisible() for one in tour.window.findChildren(QDialog)), "the dialog")
    return next(one for one in tour.window.findChildren(QDialog) if one.isVisible())


STAGES = (transformations, distortion, printing, landscape)
