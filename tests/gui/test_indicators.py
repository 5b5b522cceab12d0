"""Check boxes and radio buttons can be seen: the outline of an empty one stands out from the panel, in both themes, by pixels."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractButton, QApplication, QCheckBox, QRadioButton, QStyle, QStyleOptionButton, QVBoxLayout, QWidget

from gui import theme
from tests.gui.driving import settle


@pytest.fixture(params=[False, True], ids=["light", "dark"])
def dark(request: pytest.FixtureRequest, qapp: QApplication) -> Iterator[bool]:
    before = qapp.palette(), qapp.styleSheet()
    qapp.setStyle("Fusion")
    qapp.setStyleSheet(theme.STYLE_SHEET)
    qapp.setPalette(theme.palette(request.param))
    yield request.param
    qapp.setStyleSheet(before[1])
    qapp.setPalette(before[0])


def edge_colours(button: QAbstractButton) -> list[QColor]:
    """Return the colours in the middle of the four edges of an indicator."""
    option = QStyleOptionButton()
    option.initFrom(button)
    radio = isinstance(button, QRadioButton)
    element = QStyle.SubElement.SE_RadioButtonIndicator if radio else QStyle.SubElement.SE_CheckBoxIndicator
    box, image = button.style().subElementRect(element, option, button), button.window().grab().toImage()
    middle = box.center()
    places = [(box.left(), middle.y()), (box.right(), middle.y()), (middle.x(), box.top()), (middle.x(), box.bottom())]
    return [image.pixelColor(button.mapTo(button.window(), button.rect().topLeft()).x() + x, button.y() + y) for x, y in places]


@pytest.mark.parametrize("kind", [QCheckBox, QRadioButton])
def test_the_outline_of_an_empty_box_stands_out(kind: type[QAbstractButton], dark: bool) -> None:
    panel = QWidget()
    column = QVBoxLayout(panel)
    button = kind("live preview")  # type: ignore[call-arg]
    column.addWidget(button)
    panel.show()
    settle()
    ground = theme.palette(dark).window().color()
    for colour in edge_colours(button):
        assert theme.contrast_ratio(colour, ground) >= 3, colour.name()
    empty = button.grab().toImage()
    button.setChecked(True)
    settle()
    assert button.grab().toImage() != empty, "a chosen one looks different"
    panel.close()
    panel.deleteLater()
