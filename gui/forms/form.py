"""Form: an operation's parameters to edit, and the operation that they make, or the sentence that says why they make none."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui.forms.editors import Editor, NumberEdit
from gui.forms.fields import read_fields
from gui.forms.tree import FieldGroup, FieldParameter, Tree
from gui.session.building import build_operation
from gui.widgets.message import Message

if TYPE_CHECKING:
    from engine import Operation
    from engine.parameters import Parameter

ROWS_AT_ONCE = 4
"""How many rows a turn of the event loop makes: each takes about 2 ms, and the window is never to stand still for 50."""


class Form(QWidget):
    """Rows by group. ``operation`` is None while the values make none; then ``error`` says why.

    The first rows are there at once, the others in the next turns of the event loop in which it is in sight, or when somebody asks for one:
    several forms never make theirs in one turn. The error stands under them, unless ``says_errors`` is off and the panel around says it.
    """

    changed = Signal()
    """A value changed, by hand or not."""

    def __init__(self, parent: QWidget | None = None, *, says_errors: bool = True) -> None:
        super().__init__(parent)
        self._says_errors = says_errors
        self._class: type[Operation] | None = None
        self._fields: tuple[Parameter, ...] = ()
        self._parameters: dict[str, FieldParameter] = {}
        self._groups: dict[str, FieldGroup] = {}
        """Those that have rows by now; the tree holds them weakly."""
        self._to_come: deque[Parameter] = deque()
        """Rows that are not made yet."""
        self._next_rows = QTimer(self)
        self._next_rows.setSingleShot(True)
        self._next_rows.setInterval(0)
        self._next_rows.timeout.connect(self._make_rows)
        self._quiet = False
        self.operation: Operation | None = None
        self.error = ""
        self._wrong: Mapping[str, str] = {}
        """Names of the rows whose values are refused, and why."""
        self.tree = Tree(self)
        self._message = Message(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.tree)
        layout.addWidget(self._message)
        layout.addStretch(1)

    # ------------------------------------------------------------------ from the program

    @property
    def fields(self) -> tuple[Parameter, ...]:
        """The rows, from top to bottom."""
        return self._fields

    def set_operation(self, operation: type[Operation]) -> None:
        """Show the parameters of that class, at their defaults."""
        self._class, self._fields = operation, read_fields(operation)
        self.tree.clear()
        self._groups.clear()
        self._parameters = {field.name: FieldParameter(field) for field in self._fields}
        for parameter in self._parameters.values():
            parameter.sigValueChanged.connect(self._on_value)
        self._to_come = deque(self._fields)
        self._check()
        self._make_rows()

    @Slot()
    def _make_rows(self, count: int = ROWS_AT_ONCE) -> None:
        """Make the next rows, and see to those that are left."""
        values = self.values()
        self.tree.filling = True
        for field in [self._to_come.popleft() for _ in range(min(count, len(self._to_come)))]:
            title = field.group or "Other"
            if title not in self._groups:
                self._groups[title] = FieldGroup(name=title)
                self.tree.addParameters(self._groups[title])
            self._groups[title].addChild(self._parameters[field.name])
            self._show_state(field, values)
        self.tree.filling = False
        self.tree.fit()
        self._go_on()

    def _go_on(self) -> None:
        if self._to_come and self.isVisible():
            self._next_rows.start()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._go_on()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._next_rows.stop()

    def _finish(self) -> None:
        """Make every row that is still to come."""
        if self._to_come:
            self._next_rows.stop()
            self._make_rows(len(self._to_come))

    def values(self) -> dict[str, Any]:
        """As they stand in the rows: numbers, or the text where it is no number."""
        return {name: parameter.value() for name, parameter in self._parameters.items()}

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Fill in some of the rows."""
        self._finish()
        self._quiet = True
        try:
            for name, value in values.items():
                self._parameters[name].setValue(value)
        finally:
            self._quiet = False
        self._check()

    def reset(self) -> None:
        """Every row back to its default."""
        self.set_values({field.name: field.default for field in self._fields})

    def editor(self, name: str) -> Editor:
        """The editor of the parameter of that name."""
        self._finish()
        return self._editor(name)

    def _editor(self, name: str) -> Editor:
        item = next(iter(self._parameters[name].items))
        widget: Editor = item.widget
        return widget

    def is_enabled(self, name: str) -> bool:
        """Whether the parameter has a meaning beside the others."""
        self._finish()
        return bool(self._parameters[name].opts["enabled"])

    # ------------------------------------------------------------------ from a person

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
        for field in itertools.islice(self._fields, len(self._fields) - len(self._to_come)):
            self._show_state(field, values)
        self._message.say(self.error if self._says_errors else "")
        self.changed.emit()

    def _show_state(self, field: Parameter, values: Mapping[str, Any]) -> None:
        """Whether a row has a meaning beside these values, whether its value is refused, and what stands for an empty one."""
        self._parameters[field.name].setOpts(enabled=field.applies(values), wrong=field.name in self._wrong)
        editor = self._editor(field.name)
        if isinstance(editor, NumberEdit) and field.automatic:
            editor.set_automatic(getattr(self.operation, field.automatic) if self.operation is not None else None)
