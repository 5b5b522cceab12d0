"""Form: edits an operation's parameters; holds the operation built from them, or the sentence that says why they were refused."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSignalBlocker, QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui.forms.editors import Editor, mark_wrong
from gui.forms.fields import read_fields
from gui.forms.number_edit import NumberEdit
from gui.forms.parts import PartsEdit
from gui.forms.tree import FieldGroup, FieldParameter, Tree
from gui.session.building import build_operation
from gui.widgets.message import Message
from gui.widgets.section import Section

if TYPE_CHECKING:
    from engine.parameterised import Parameterised
    from engine.parameters import Parameter

BASIC = "Budget"
"""The group of parameters that a form always shows."""
ROWS_AT_ONCE = 4
"""Rows that are built in one turn of the event loop. Each takes about 2 ms, and the window must not block for 50 ms."""


class Form(QWidget):
    """Rows of parameters by group. While the values are refused, ``operation`` is None and ``error`` says why.

    The first rows are built at once, the others in later turns of the event loop while the form is visible, or when one of them is needed.
    So several forms never build all their rows in one turn. The error is shown below the rows, unless ``says_errors`` is False.
    With ``folds`` only the budget is in sight at first: the other parameters are under “Advanced”. A parameter that is a recipe of parts
    stands above all others, with a form for each part. With ``sliders`` numbers between two limits have one. Parameters in ``hides`` have
    no row, and keep their defaults.
    """

    changed = Signal()
    """A value has changed, by hand or by the program."""

    unfolded = Signal(bool)
    """The user has opened or closed “Advanced”."""

    def __init__(
        self,
        parent: QWidget | None = None,
        *,
        says_errors: bool = True,
        folds: bool = False,
        sliders: bool = False,
        hides: Collection[str] = (),
    ) -> None:
        super().__init__(parent)
        self._says_errors, self._folds, self._sliders, self._hides = says_errors, folds, sliders, hides
        self._class: type[Parameterised] | None = None
        self._fields: tuple[Parameter, ...] = ()
        self._parameters: dict[str, FieldParameter] = {}
        self._groups: dict[tuple[str, bool], FieldGroup] = {}
        """The groups that have rows, by title and whether they are folded. They are kept here, since the tree holds them weakly."""
        self._waiting: deque[Parameter] = deque()
        """The parameters whose rows are not built yet."""
        self._next_rows = QTimer(self)
        self._next_rows.setSingleShot(True)
        self._next_rows.setInterval(0)
        self._next_rows.timeout.connect(self._make_rows)
        self._quiet = False
        self.operation: Any = None
        self.error = ""
        self._wrong: Mapping[str, str] = {}
        """The errors of single values, by name."""
        self._basic: Collection[str] = ()
        """The parameters that are in sight at first; empty: those of the budget."""
        self.recipes: dict[str, PartsEdit] = {}
        """The editors of recipes, by parameter."""
        self.tree = Tree(self)
        self.advanced = Section("Advanced", self, opened=False, tip="Parameters that most runs leave as they are")
        self._more = Tree(self.advanced)
        self.advanced.add(self._more)
        self.advanced.hide()
        self.advanced.toggled.connect(self.unfolded)
        self._message = Message(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        self._top = QVBoxLayout()
        layout.addLayout(self._top)
        layout.addWidget(self.tree)
        layout.addWidget(self.advanced)
        layout.addWidget(self._message)
        layout.addStretch(1)

    # ------------------------------------------------------------------ from the program

    @property
    def fields(self) -> tuple[Parameter, ...]:
        """The form's parameters, from top to bottom."""
        return self._fields

    def set_operation(self, operation: type[Parameterised], *, without: Collection[str] = (), basic: Collection[str] = ()) -> None:
        """Show the parameters of an operation's class, or of a part of a recipe, at their defaults.

        Those in ``without`` have no row, and keep their defaults. Those in ``basic`` are in sight at first, in place of the budget.
        """
        self._basic = basic
        self._class, self._fields = (
            operation,
            tuple(field for field in read_fields(operation) if field.name not in {*without, *self._hides}),
        )
        for tree in self._trees:
            tree.clear()
        self._groups.clear()
        self._parameters = {field.name: FieldParameter(field, self._sliders) for field in self._fields}
        for parameter in self._parameters.values():
            parameter.sigValueChanged.connect(self._on_value)
        self._waiting = deque(field for field in self._fields if field.kind != "parts")
        self._make_recipes()
        self.advanced.setVisible(self._folds and any(self._is_advanced(field) for field in self._fields))
        self._check()
        self._make_rows()

    @property
    def _rows(self) -> list[Parameter]:
        """The parameters that have a row of a tree."""
        return [field for field in self._fields if field.kind != "parts"]

    def _make_recipes(self) -> None:
        for edit in self.recipes.values():
            self._top.removeWidget(edit)
            edit.deleteLater()
        self.recipes = {field.name: PartsEdit(field, _form_of_part, self) for field in self._fields if field.kind == "parts"}
        for name, edit in self.recipes.items():
            self._top.addWidget(edit)
            edit.sigChanged.connect(self._follow(name, edit))

    def _follow(self, name: str, edit: PartsEdit) -> Callable[[], None]:
        return lambda: self._parameters[name].setValue(edit.value())

    @property
    def _trees(self) -> tuple[Tree, Tree]:
        return self.tree, self._more

    def _is_advanced(self, field: Parameter) -> bool:
        """Return whether a parameter is folded away: all but the budget are, where there is a budget."""
        if not self._folds or field.kind == "parts":
            return False
        if self._basic:
            return field.name not in self._basic
        return field.group != BASIC and any(each.group == BASIC for each in self._fields)

    def unfold(self, opened: bool) -> None:
        """Open or close “Advanced”, without a signal."""
        with QSignalBlocker(self.advanced):
            self.advanced.button.setChecked(opened)

    @Slot()
    def _make_rows(self, count: int = ROWS_AT_ONCE) -> None:
        """Build the next rows, and schedule the rest."""
        values = self.values()
        for tree in self._trees:
            tree.filling = True
        for field in [self._waiting.popleft() for _ in range(min(count, len(self._waiting)))]:
            group = field.group or "Other", self._is_advanced(field)
            if group not in self._groups:
                self._groups[group] = FieldGroup(name=group[0])
                (self._more if group[1] else self.tree).addParameters(self._groups[group])
            self._groups[group].addChild(self._parameters[field.name])
            self._show_state(field, values)
        for tree in self._trees:
            tree.filling = False
            tree.fit()
        self._schedule()

    def _schedule(self) -> None:
        if self._waiting and self.isVisible():
            self._next_rows.start()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._schedule()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._next_rows.stop()

    def _finish(self) -> None:
        """Build all rows that are not built yet."""
        if self._waiting:
            self._next_rows.stop()
            self._make_rows(len(self._waiting))

    def values(self) -> dict[str, Any]:
        """Return the values of all rows: numbers, or the text of rows without a valid number."""
        return {name: parameter.value() for name, parameter in self._parameters.items()}

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Set the values of some rows; those of parameters that have none are left out."""
        self._finish()
        self._quiet = True
        try:
            for name, value in values.items():
                if name in self._hides:
                    continue
                if name in self.recipes:
                    self.recipes[name].setValue(value)
                    value = self.recipes[name].value()
                self._parameters[name].setValue(value)
        finally:
            self._quiet = False
        self._check()

    def reset(self) -> None:
        """Set every row to its default."""
        self.set_values({field.name: field.default for field in self._fields})

    def editor(self, name: str) -> Editor:
        """Return the editor of a parameter."""
        self._finish()
        return self._editor(name)

    def _editor(self, name: str) -> Editor:
        item = next(iter(self._parameters[name].items))
        widget: Editor = item.widget
        return widget

    def is_enabled(self, name: str) -> bool:
        """Return whether a parameter has an effect with the present values of the others."""
        self._finish()
        return bool(self._parameters[name].opts["enabled"])

    # ------------------------------------------------------------------ from the user

    @Slot(object, object)
    def _on_value(self, parameter: Any, value: Any) -> None:
        if self._quiet:
            return
        present = self.values()
        following = {field.name: field.following(parameter.name(), value, present[field.name]) for field in self._fields if field.usual}
        self.set_values({name: new for name, new in following.items() if new != present[name]})

    def _check(self) -> None:
        assert self._class is not None
        made = build_operation(self._class, self.values())
        self.operation, self.error, self._wrong = made.operation, made.error, made.wrong
        values = self.values()
        for field in itertools.islice(self._rows, len(self._rows) - len(self._waiting)):
            self._show_state(field, values)
        self._message.say(self.error if self._says_errors else "")
        self._show_advanced(values)
        self.changed.emit()

    def _show_advanced(self, values: Mapping[str, Any]) -> None:
        """Count the folded parameters and those that were changed; open the section if one of them is refused."""
        hidden = [field for field in self._fields if self._is_advanced(field)]
        changed = sum(values[field.name] != field.default for field in hidden)
        self.advanced.set_title(f"Advanced ({len(hidden)}{f', {changed} changed' if changed else ''})")
        if any(field.name in self._wrong for field in hidden):
            self.unfold(True)

    def _show_state(self, field: Parameter, values: Mapping[str, Any]) -> None:
        """Update a row: whether the parameter has an effect, whether its value is refused, and the automatic value for an empty one."""
        self._parameters[field.name].setOpts(enabled=field.applies(values), wrong=field.name in self._wrong)
        editor = self._editor(field.name)
        mark_wrong(editor, field, self._wrong.get(field.name, ""))
        if isinstance(editor, NumberEdit) and field.automatic:
            editor.set_automatic(getattr(self.operation, field.automatic) if self.operation is not None else None)


def _form_of_part(parent: QWidget) -> Form:
    """Return the form of one part of a recipe."""
    return Form(parent, folds=True)
