"""The slider of a parameter: its places, its round values, and its limits; for every preprocessing of the catalogue."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from engine.defenses.preprocessing import CATALOGUE
from engine.parameters import Parameter, parameters_of
from gui.forms.number_edit import NumberEdit
from gui.forms.slider_edit import Scale, SliderEdit, has_slider

FIELDS = [(slug, field) for slug, each in CATALOGUE.items() for field in parameters_of(each).values() if has_slider(field)]


@pytest.mark.parametrize(("slug", "field"), FIELDS, ids=[f"{slug}-{field.name}" for slug, field in FIELDS])
def test_every_place_is_a_value_that_the_defense_takes(slug: str, field: Parameter) -> None:
    scale = Scale(field)
    values = [scale.value(place) for place in range(scale.places + 1)]
    assert values == sorted(values)
    for value in values:
        step = CATALOGUE[slug].build(**{field.name: value})  # it raises where the value is out of range
        if field.name not in ("window", "overlap"):  # these two have to fit each other
            step.check((3, 32, 32))
    assert values[-1] == pytest.approx(field.high, rel=0.02) or field.open_high
    assert scale.value(scale.place(field.default)) == pytest.approx(field.default, rel=0.1)


def test_a_number_between_two_places_stays_as_it_was_typed(qtbot: QtBot) -> None:
    field = parameters_of(CATALOGUE["noise-averaging"])["sigma"]
    edit = SliderEdit(field)
    qtbot.addWidget(edit)
    edit.show()
    edit.number.lineEdit().selectAll()
    QTest.keyClicks(edit.number.lineEdit(), "0.1234")
    assert edit.value() == 0.1234
    before = edit.slider.value()
    QTest.keyClick(edit.slider, Qt.Key.Key_Right)
    assert edit.slider.value() == before + 1
    assert edit.value() == Scale(field).value(before + 1) != 0.1234


def test_the_arrow_keys_step_over_even_numbers(qtbot: QtBot) -> None:
    edit = NumberEdit(parameters_of(CATALOGUE["non-local-means"])["search"])
    qtbot.addWidget(edit)
    edit.stepBy(1)
    assert edit.value() == 13
    edit.stepBy(-2)
    assert edit.value() == 9


def test_what_has_no_two_limits_has_no_slider() -> None:
    fields = parameters_of(CATALOGUE["noise-averaging"])
    assert not has_slider(fields["seed"])
    assert not has_slider(fields["gradient"])
