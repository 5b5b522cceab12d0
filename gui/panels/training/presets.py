"""RecipePresets: the button that fills in a whole recipe of training by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from gui.widgets.literal import literal

if TYPE_CHECKING:
    from engine.parameterised import Parameterised
    from engine.parameters import Preset
    from gui.forms import Form


class RecipePresets(QToolButton):
    """A menu of whole recipes. Parameters that no recipe sets, such as the number of epochs, stay as they are."""

    def __init__(self, form: Form, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self._touched: frozenset[str] = frozenset()
        self.setText("Presets")
        self.setObjectName("training.presets")
        self.setToolTip("Fill in a whole recipe by its name")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setMenu(QMenu(self))

    def show_presets(self, operation: type[Parameterised]) -> None:
        """List the recipes of an operation."""
        menu = self.menu()
        menu.clear()
        self._touched = frozenset(name for preset in operation.presets for name in preset.values)
        for preset in operation.presets:
            menu.addAction(literal(preset.title)).triggered.connect(lambda _=False, preset=preset: self.use(preset))

    def use(self, preset: Preset) -> None:
        """Fill in a recipe."""
        defaults = {field.name: field.default for field in self._form.fields if field.name in self._touched}
        self._form.set_values({**defaults, **preset.values})
