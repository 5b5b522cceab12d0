"""AttackRows: the attacks of a table, one row each, with buttons to add, change and remove them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QHeaderView, QMenu, QPushButton, QToolButton, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from gui import theme
from gui.choosers.attack_dialog import AttackDialog

if TYPE_CHECKING:
    from engine import Attack
    from engine.evaluate.tables import TableAttack

_ROWS = 5
USUAL: Mapping[str, tuple[dict[str, object], ...]] = {
    "One step, many steps": ({"attack": "fgsm", "eps": (0.1, 0.2)}, {"attack": "pgd", "name": "PGD-40", "eps": (0.1, 0.2), "steps": 40}),
    "PGD over eps": ({"attack": "pgd", "eps": (0.05, 0.1, 0.15, 0.2, 0.3)},),
    "Small norms": ({"attack": "deepfool"}, {"attack": "pgd", "norm": "l2", "eps": (0.5, 1.0, 2.0)}),
    "Colour images at 2, 4 and 8/255": ({"attack": "pgd", "eps": ("2/255", "4/255", "8/255"), "steps": 20},),
}
"""Sets of attacks that tables often have, by title."""


class AttackRows(QWidget):
    """The attacks with their radii. Build it when the engine is loaded."""

    changed = Signal()

    def __init__(self, attacks: Mapping[str, type[Attack]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._attacks = dict(attacks)
        self.entries: tuple[TableAttack, ...] = ()
        self.dialog: AttackDialog | None = None
        """The dialog, once it was made."""
        self._place = 0
        """The row that the dialog is open for."""
        self.tree = QTreeWidget(self)
        self.tree.setColumnCount(2)
        self.tree.setHeaderLabels(["attack", "eps"])
        self.tree.setRootIsDecorated(False)
        self.tree.setUniformRowHeights(True)
        self.tree.setTabKeyNavigation(False)
        self.tree.setAccessibleName("Attacks")
        self.tree.setToolTip("Double click or Enter: change the attack. Delete: remove it.")
        self.tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.tree.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.tree.header().setStretchLastSection(False)
        self.add_button = QPushButton(theme.icon("mdi6.plus"), "Add…", self)
        self.edit_button = QPushButton(theme.icon("mdi6.pencil-outline"), "Edit…", self)
        self.remove_button = QToolButton(self)
        self.usual_button = QToolButton(self)
        self._lay_out()
        self.tree.itemDoubleClicked.connect(lambda *_: self.edit())
        self.tree.currentItemChanged.connect(self._refresh)
        self.add_button.clicked.connect(self.add)
        self.edit_button.clicked.connect(self.edit)
        self.remove_button.clicked.connect(self.remove)
        self.set_entries(())

    def _lay_out(self) -> None:
        self.add_button.setToolTip("Choose an attack, its parameters, and the eps at which it is tried")
        self.edit_button.setToolTip("Change the selected attack")
        self.remove_button.setIcon(theme.icon("mdi6.trash-can-outline"))
        self.remove_button.setToolTip("Remove the selected attack")
        self.remove_button.setAccessibleName("Remove the selected attack")
        self.usual_button.setText("Usual")
        self.usual_button.setToolTip("Replace the attacks by a set that tables often have")
        self.usual_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        for title in USUAL:
            menu.addAction(title, partial(self._use, title))
        self.usual_button.setMenu(menu)
        buttons, column = QHBoxLayout(), QVBoxLayout(self)
        buttons.setSpacing(4)
        buttons.addWidget(self.add_button, 1)
        buttons.addWidget(self.edit_button, 1)
        buttons.addWidget(self.usual_button)
        buttons.addWidget(self.remove_button)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.tree)
        column.addLayout(buttons)

    def set_entries(self, entries: Sequence[TableAttack], current: int = -1) -> None:
        """Show these attacks."""
        self.entries = tuple(entries)
        self.tree.clear()
        for entry in self.entries:
            row = QTreeWidgetItem(self.tree, [entry.title, _radii(entry)])
            row.setToolTip(0, words(entry))
            row.setToolTip(1, words(entry))
        if (item := self.tree.topLevelItem(current)) is not None:
            self.tree.setCurrentItem(item)
        high = self.tree.sizeHintForRow(0) if self.entries else self.fontMetrics().height() + 6
        rows = max(2, min(_ROWS, len(self.entries)))
        self.tree.setFixedHeight(self.tree.header().sizeHint().height() + rows * high + 2 * self.tree.frameWidth() + 2)
        self._refresh()
        self.changed.emit()

    @property
    def _current(self) -> int:
        item = self.tree.currentItem()
        return -1 if item is None else self.tree.indexOfTopLevelItem(item)

    @Slot()
    def _refresh(self) -> None:
        for button in (self.edit_button, self.remove_button):
            button.setEnabled(self._current >= 0)

    # ------------------------------------------------------------------ from the user

    @Slot()
    def add(self) -> None:
        """Ask for a further attack."""
        self._ask(None, len(self.entries))

    @Slot()
    def edit(self) -> None:
        """Ask for other settings of the selected attack."""
        if self._current >= 0:
            self._ask(self.entries[self._current], self._current)

    def _ask(self, entry: TableAttack | None, place: int) -> None:
        self._place = place
        self.prepare().open_with(entry)

    def prepare(self) -> AttackDialog:
        """Make the dialog, unless that was done before: it takes a moment, which a click need not wait for."""
        if self.dialog is None:
            self.dialog = AttackDialog(self._attacks, self)
            self.dialog.entered.connect(self._put)
        return self.dialog

    @Slot(object)
    def _put(self, entry: TableAttack) -> None:
        place = self._place
        self.set_entries((*self.entries[:place], entry, *self.entries[place + 1 :]), place)

    @Slot()
    def remove(self) -> None:
        """Remove the selected attack."""
        place = self._current
        if place >= 0:
            self.set_entries((*self.entries[:place], *self.entries[place + 1 :]), min(place, len(self.entries) - 2))

    def _use(self, title: str) -> None:
        self.set_entries(usual(title))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete:
            self.remove()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._current >= 0:
            self.edit()
        else:
            super().keyPressEvent(event)


def usual(title: str) -> tuple[TableAttack, ...]:
    """Return a set of attacks by its title."""
    from engine.evaluate.tables import TableAttack

    return tuple(TableAttack.model_validate(entry) for entry in USUAL[title])


def _radii(entry: TableAttack) -> str:
    from engine.text.formatting import format_number

    radii = [getattr(variant.attack, "eps", None) for variant in entry.variants()]
    return ", ".join(format_number(eps) for eps in radii if eps is not None) or "–"


def words(entry: TableAttack) -> str:
    """Return an attack in words: its columns with their budgets."""
    from engine.evaluate.tables import budget_of

    lines = [f"{variant.name}: {budget_of(variant.attack)}" for variant in entry.variants()]
    return "\n".join([*lines, f"towards: {entry.aim}"] if entry.aim != "away" else lines)
