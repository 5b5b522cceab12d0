"""The form of a recipe: parts are added from a menu, set up, ordered and removed by the mouse, and say themselves why they are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, QTimer
from PySide6.QtWidgets import QMenu, QPushButton, QToolButton

from engine.defenses import Train
from engine.defenses.objectives import CATALOGUE, read
from engine.parameters import parameters_of
from gui.forms import Form
from gui.forms.number_edit import NumberEdit
from tests.gui.driving import click, settle, until
from tests.gui.panel_scenes import show

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gui.forms.parts import PartsEdit
    from gui.forms.parts.row import PartRow


@pytest.fixture
def form(qtbot: QtBot) -> Form:
    """The form of a training, as narrow as its dock may be."""
    made = Form(folds=True)
    made.set_operation(Train, without=("checkpoint", "fresh"), basic=("epochs", "batch_size"))
    show(qtbot, made, 280, 900)
    return made


@pytest.fixture
def recipe(form: Form) -> PartsEdit:
    return form.recipes["recipe"]


def pick(button: QToolButton | QPushButton, menu: QMenu, text: str) -> None:
    """Open a button's menu with a click, and click the entry that begins with a text. The menu has an event loop of its own."""

    def choose() -> None:
        try:
            (action,) = [each for each in menu.actions() if each.text().startswith(text)]
            click(menu, menu.actionGeometry(action).center())
        finally:
            menu.close()

    QTimer.singleShot(0, choose)
    click(button)
    settle()


def add(recipe: PartsEdit, title: str) -> PartRow:
    pick(recipe.add_button, recipe.menu, title)
    return recipe.rows[-1]


def operation(form: Form) -> Train:
    assert form.operation is not None, form.error
    assert isinstance(form.operation, Train)
    return form.operation


def test_every_objective_can_be_added_once_and_gives_its_defaults(form: Form, recipe: PartsEdit) -> None:
    for slug in CATALOGUE:
        if slug != "standard":
            recipe.add(slug)
    made = operation(form).recipe
    assert made == tuple(part() for slug, part in CATALOGUE.items() if slug != "standard")
    recipe.menu.aboutToShow.emit()
    entries = [action for action in recipe.menu.actions() if action.data()]
    assert len(entries) == len(CATALOGUE) - 1
    assert not any(action.isEnabled() for action in entries)
    assert all(CATALOGUE[action.data()].paper in action.toolTip() for action in entries)


def test_parts_are_added_ordered_and_removed_by_the_mouse(form: Form, recipe: PartsEdit) -> None:
    assert recipe.empty.isVisible()
    add(recipe, "Gaussian")
    add(recipe, "PGD adversarial training")
    assert operation(form).described == "gaussian + pgd"
    row = recipe.rows[1]
    pick(row.more, row.menu, "Move up")
    assert operation(form).described == "pgd + gaussian"
    assert [each.part.slug for each in recipe.rows] == ["pgd", "gaussian"]
    assert recipe.rows[0].y() < recipe.rows[1].y()
    click(recipe.rows[0].remove)
    assert operation(form).described == "gaussian"
    settle()
    assert not recipe.empty.isVisible()
    click(recipe.rows[0].remove)
    assert operation(form).recipe == ()


def test_a_refused_value_is_said_beside_its_part_and_the_rest_is_kept(form: Form, recipe: PartsEdit) -> None:
    row = add(recipe, "PGD adversarial training")
    add(recipe, "Label smoothing")
    editor = row.form.editor("eps")
    assert isinstance(editor, NumberEdit)
    editor.setValue("8/256x")
    settle()
    assert form.operation is None
    assert "eps" in row.error
    assert recipe.error == row.error
    assert recipe.rows[1].error == ""
    editor.setValue(8 / 255)
    assert operation(form).described == "pgd + label-smoothing"


def test_published_settings_of_a_part_are_used_whole(form: Form, recipe: PartsEdit) -> None:
    row = add(recipe, "TRADES")
    row.form.set_values({"ramp": 3.0})
    pick(row.more, row.menu, "Zhang et al. 2019, MNIST")
    (part,) = operation(form).recipe
    assert part == read("trades eps=0.3 steps=40 step_size=0.01 beta=1")[0]


def test_values_go_in_as_text_and_come_out_as_parts(form: Form, recipe: PartsEdit) -> None:
    form.set_values({"recipe": "pgd eps=16/255 steps=3 + vat", "epochs": 3})
    assert operation(form).recipe == read("pgd eps=16/255 steps=3 + vat")
    kept = recipe.rows[1]
    form.set_values({"recipe": "vat eps=1"})
    assert recipe.rows == (kept,)  # a row that stays is not built again
    form.reset()
    assert operation(form) == Train()


def test_basic_parameters_are_in_sight_and_the_others_are_folded(form: Form) -> None:
    settle()
    until(lambda: not form._waiting, "all rows")
    shown = [name for name, row in form._parameters.items() if name != "recipe" and form.editor(name).isVisible()]
    assert shown == ["epochs", "batch_size"]
    assert f"({len(parameters_of(Train)) - 5})" in form.advanced.button.text()


def test_a_part_fits_into_the_narrowest_dock(form: Form, recipe: PartsEdit) -> None:
    for slug in CATALOGUE:
        if slug != "standard":
            recipe.add(slug)
    settle()
    for row in recipe.rows:
        assert row.minimumSizeHint().width() <= 260, row.part.slug
        edge = row.mapTo(form, QPoint(row.width(), 0)).x()
        assert edge <= form.width()
