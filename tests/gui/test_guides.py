"""Guided tours: each step waits for the user's own action, and every key and place that a text names exists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import torch
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit, QTreeWidget, QTreeWidgetItem, QTreeWidgetItemIterator

from gui.shell.actions import SPECS
from gui.shell.guides import GUIDES
from gui.shell.guides.bar import GuideBar, find_part, show_guide
from tests.gui.driving import action, click, draw, press_keys, run_attack, settle, until

if TYPE_CHECKING:
    from gui.app import Workbench
    from gui.shell.guides import Guide

WIDTHS = [720, *(pytest.param(width, marks=pytest.mark.slow) for width in (1000, 1280)), 1920]


def shown(bench: Workbench) -> list[GuideBar]:
    return [bar for bar in bench.window.findChildren(GuideBar) if bar.isVisible()]


def begun(bench: Workbench, slug: str) -> GuideBar:
    action(bench, f"guide_{slug}").trigger()
    settle()
    return shown(bench)[0]


def test_the_first_minute_goes_on_with_what_the_user_does(bench: Workbench) -> None:
    bar = begun(bench, "first-minute")
    assert "step 1 of 7" in bar.title.text()
    assert bar.next.text() == "Skip"
    assert bar.text.text().startswith("Press F5")
    press_keys(bench.window, "F5")
    until(lambda: bar.walk.place == 1, "the second step", 60)
    click(bar.next)
    assert bar.walk.place == 2
    draw(bench)
    until(lambda: bar.walk.place == 3, "the fourth step")
    bench.session.change("Choose", **bench.session.plan.choosing("sticker"))
    until(lambda: bar.walk.place == 4, "the fifth step")
    press_keys(bench.window, "F5")
    until(lambda: bar.walk.place == 5, "the sixth step", 60)


def test_back_skip_and_end(bench: Workbench) -> None:
    bar = begun(bench, "you")
    assert not bar.back.isEnabled()
    for place in range(1, len(bar.walk.steps)):
        click(bar.next)
        assert bar.walk.place == place
    assert bar.next.text() == "Finish"
    click(bar.back)
    assert bar.walk.place == len(bar.walk.steps) - 2
    click(bar.next)
    click(bar.next)
    settle()
    assert not shown(bench)


def test_what_is_done_is_marked_for_a_moment(bench: Workbench) -> None:
    bar = begun(bench, "nicolae-rawat")
    bar._timer.setInterval(60_000)
    click(bar.next)
    bench.session.set_bounds({bench.session.classifier.sites[0].name: 1.0})
    until(lambda: bar.walk.done, "the bound")
    assert bar.text.text().startswith("✓ ")
    assert bar.next.text() == "Next"


def test_a_guide_replaces_the_one_before(bench: Workbench) -> None:
    begun(bench, "you")
    bar = begun(bench, "wang")
    assert shown(bench) == [bar]
    click(bar.finish)
    settle()
    assert not shown(bench)


def test_a_run_before_the_step_does_not_count(bench: Workbench) -> None:
    run_attack(bench)
    bar = begun(bench, "first-minute")
    settle()
    assert not bar.walk.done


def test_a_bound_is_seen(bench: Workbench) -> None:
    bar = begun(bench, "nicolae-rawat")
    click(bar.next)
    bench.session.set_bounds({bench.session.classifier.sites[0].name: 1.0})
    until(lambda: bar.walk.done or bar.walk.place == 2, "the bound")


def test_another_image_is_seen(bench: Workbench) -> None:
    bar = begun(bench, "horvath")
    click(bar.next)
    bench.session.set_image(torch.rand(3, 32, 32), {"name": "noise"})
    until(lambda: bar.walk.done or bar.walk.place == 2, "the image")


@pytest.mark.parametrize("guide", GUIDES, ids=[guide.slug for guide in GUIDES])
def test_every_key_in_a_text_is_a_key_of_the_window(guide: Guide) -> None:
    known = {QKeySequence(keys).toString() for spec in SPECS for keys in spec.shortcuts} | {"Enter", "Esc"}
    for step in guide.steps:
        for keys in re.findall(r"\b(?:Ctrl\+(?:Shift\+)?\w+|F\d+|(?<=Press )[A-Z](?=,))", step.text):
            assert keys in known, (keys, step.text)


@pytest.mark.parametrize("guide", GUIDES, ids=[guide.slug for guide in GUIDES])
def test_every_place_is_in_the_window(bench: Workbench, guide: Guide) -> None:
    bar = show_guide(guide.slug, bench.session, bench.window)
    for step in guide.steps:
        assert not step.at or find_part(bench.window, step.at) is not None, step.at
    bar.end()
    settle()


def test_the_first_minute_lets_the_user_fetch_what_it_speaks_of(bench: Workbench) -> None:
    session, window = bench.session, bench.window
    session.set_image(torch.rand(3, 32, 32), {"name": "noise"})
    session.change("Choose", **session.plan.choosing("fgsm"))
    bar = begun(bench, "first-minute")
    assert "step 1 of 9" in bar.title.text()
    assert bar.text.text().startswith("Open the stop sign")
    assert session.image["name"] == "noise"  # the guide itself opens nothing
    press_keys(window, "Ctrl+I")
    chooser = window.spine.image
    until(lambda: chooser.popup is not None and chooser.popup.isVisible(), "the list of images")
    assert chooser.popup is not None
    field = chooser.popup.findChild(QLineEdit)
    QTest.keyClicks(field, "stop")
    pick = next(pick for pick in chooser.list.findChildren(QTreeWidget))
    until(lambda: any(shown.text(0).startswith("Stop") or "stop" in shown.text(0).lower() for shown in leaves(pick)), "the sample")
    QTest.keyClick(field, Qt.Key.Key_Return)
    until(lambda: session.image.get("name") == "sign-stop-32.png", "the stop sign")
    until(lambda: bar.walk.place == 1, "the second step")
    assert bar.text.text().startswith("Choose the attack “PGD”")
    session.change("Choose", **session.plan.choosing("pgd"))
    until(lambda: bar.walk.place == 2, "the third step")
    assert bar.text.text().startswith("Press F5")
    bar.end()
    settle()


def leaves(tree: QTreeWidget) -> list[QTreeWidgetItem]:
    """The rows in sight that are no group."""
    every = QTreeWidgetItemIterator(tree, QTreeWidgetItemIterator.IteratorFlag.NotHidden)
    found = []
    while every.value() is not None:
        if every.value().childCount() == 0:
            found.append(every.value())
        every += 1
    return found


@pytest.mark.parametrize("guide", GUIDES, ids=[guide.slug for guide in GUIDES])
def test_what_prepares_a_guide_stands_first_and_waits_for_the_user(guide: Guide) -> None:
    preparing = [step.prepares for step in guide.steps]
    assert preparing == sorted(preparing, reverse=True)
    assert not all(preparing)
    assert all(step.done is not None for step in guide.steps if step.prepares)


@pytest.mark.parametrize("width", WIDTHS)
def test_no_text_is_cut_and_the_bar_keeps_its_height(bench: Workbench, width: int) -> None:
    bench.window.resize(width, 650)
    settle()
    for guide in GUIDES:
        bar = show_guide(guide.slug, bench.session, bench.window)
        settle()
        heights, tops = set(), set()
        for place, step in enumerate(bar.walk.steps):
            bar.walk._show(place)
            for done in (False, True):
                bar.walk.done = done
                bar._show()
                bar._timer.stop()
                settle()
                label: QLabel = bar.text
                assert label.heightForWidth(label.width()) <= label.height(), step.text
                assert bar.title.height() >= bar.title.fontMetrics().height()
                assert not bar.title.cut, (bar.title.text(), bar.title.width(), bar.width(), bench.window.width())
                heights.add(bar.height())
                tops.add(bench.window.centre.height())
        assert len(heights) == 1
        assert len(tops) == 1  # nothing above the bar moves
        bar.end()
        settle()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("guide", GUIDES, ids=[guide.slug for guide in GUIDES])
def test_buttons_and_text_lie_in_the_bar_when_it_is_first_shown(bench: Workbench, guide: Guide, width: int) -> None:
    bench.window.resize(width, 650)
    settle()
    bar = begun(bench, guide.slug)
    for part in (bar.title, bar.text, bar.back, bar.next, bar.finish):
        place = QRect(part.mapTo(bar, QPoint(0, 0)), part.size())
        assert bar.rect().contains(place), (part, place, bar.rect())
        assert bar.childAt(place.center()) is part  # nothing else is in front of it
    bar.end()
    settle()
