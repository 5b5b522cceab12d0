"""PartsEdit: edits a parameter whose value is a recipe, a tuple of parts: they are added, removed, ordered and set up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QVBoxLayout, QWidget

from gui import theme
from gui.forms.parts.menu import fill_menu
from gui.forms.parts.row import MakeForm, PartRow

if TYPE_CHECKING:
    from engine.parameters import Parameter


class PartsEdit(QWidget):
    """The parts in their order, one below the other, and a button that adds one."""

    sigChanged = Signal()

    def __init__(self, field: Parameter, make_form: MakeForm, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        assert field.parts is not None
        self._field, self._recipes, self._make_form = field, field.parts, make_form
        self.rows: tuple[PartRow, ...] = ()
        self._quiet = False
        self.title = QLabel(field.title.capitalize(), self)
        font = self.title.font()
        font.setBold(True)
        self.title.setFont(font)
        rest = "" if self._recipes.nothing == "none" else f": {self._recipes.nothing}"
        self.empty = QLabel(f"No {self._recipes.noun} added{rest}.", self)
        self.empty.setEnabled(False)
        self.add_button = QPushButton(theme.icon("mdi6.plus"), "Add", self)
        self.add_button.setToolTip(f"Add a {self._recipes.noun} to the {self._recipes.whole}")
        self.add_button.setAccessibleName(f"Add a {self._recipes.noun}")
        self.menu = QMenu(self.add_button)
        self.menu.aboutToShow.connect(self._fill_menu)
        self.add_button.setMenu(self.menu)
        self.head = QHBoxLayout()
        self.head.setSpacing(4)
        self.head.addWidget(self.title, 1)
        self.head.addWidget(self.add_button)
        self._list = QVBoxLayout()
        self._list.setSpacing(4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(self.head)
        layout.addWidget(self.empty)
        layout.addLayout(self._list)
        self.setAccessibleName(field.title)
        self.setToolTip(field.tip)

    # ------------------------------------------------------------------ the value

    def value(self) -> tuple[Any, ...]:
        """Return the parts; one whose values are refused is a mapping of them with its slug."""
        return tuple(row.value for row in self.rows)

    def setValue(self, value: Any) -> None:
        """Show another recipe: whatever the engine reads as one. Rows of parts that stay are kept."""
        parts = value if _refused(value) else self._recipes.read(value)
        if parts == self.value():
            return
        self._quiet = True
        before = {row.part.slug: row for row in self.rows}
        try:
            self._show([before.get(_slug(part, self._recipes.kind)) or self._row(_slug(part, self._recipes.kind)) for part in parts])
            for row, part in zip(self.rows, parts, strict=True):
                row.form.set_values(_values(part, self._recipes.kind))
        finally:
            self._quiet = False
        self.sigChanged.emit()

    def say(self, problems: Mapping[str, str]) -> None:
        """Say beside each part why it does not fit its surroundings, by slug; the others fit."""
        for row in self.rows:
            row.say(problems.get(row.part.slug, ""))

    @property
    def error(self) -> str:
        """The sentence of the first part that is refused; empty if none is."""
        return next((row.error for row in self.rows if row.error), "")

    # ------------------------------------------------------------------ from the user

    @Slot()
    def _fill_menu(self) -> None:
        present = [row.part.slug for row in self.rows]
        fill_menu(self.menu, self._recipes.catalogue, (self._recipes.nothing,), present, self.add)

    def add(self, slug: str) -> None:
        """Add a part at the end of the recipe."""
        self._show([*self.rows, self._row(slug)])
        self.sigChanged.emit()

    def remove(self, row: PartRow) -> None:
        """Take a part out of the recipe."""
        self._show([each for each in self.rows if each is not row])
        self.sigChanged.emit()

    def shift(self, row: PartRow, by: int) -> None:
        """Move a part to an earlier place (-1) or a later one (1)."""
        rows = [each for each in self.rows if each is not row]
        rows.insert(self.rows.index(row) + by, row)
        self._show(rows)
        self.sigChanged.emit()

    @Slot()
    def _on_row(self) -> None:
        if not self._quiet:
            self.sigChanged.emit()

    # ------------------------------------------------------------------ the rows

    def _row(self, slug: str) -> PartRow:
        row = PartRow(self._recipes.catalogue[slug], self._make_form, self)
        row.changed.connect(self._on_row)
        row.moved.connect(self._later(self.shift, row))
        row.removed.connect(self._later(self.remove, row))
        return row

    def _later(self, act: Callable[..., None], row: PartRow) -> Callable[..., None]:
        return lambda *arguments: act(row, *arguments)

    def _show(self, rows: list[PartRow]) -> None:
        for row in self.rows:
            self._list.removeWidget(row)
            if row not in rows:
                row.hide()
                row.deleteLater()
        self.rows = tuple(rows)
        for place, row in enumerate(rows):
            self._list.addWidget(row)
            row.show()
            row.allow(earlier=place > 0, later=place < len(rows) - 1)
        self.empty.setVisible(not rows)


def _refused(value: Any) -> bool:
    return isinstance(value, tuple) and any(isinstance(part, Mapping) for part in value)


def _slug(part: Any, kind: str) -> str:
    return str(part[kind]) if isinstance(part, Mapping) else str(part.slug)


def _values(part: Any, kind: str) -> dict[str, Any]:
    if isinstance(part, Mapping):
        return {name: value for name, value in part.items() if name != kind}
    return {name: getattr(part, name) for name in type(part).model_fields}
