"""ModelChecks: which models an evaluation compares, with defenses in front of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QCompleter, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from gui import theme
from gui.session.model_rows import ModelRow, choices, named_model
from gui.widgets.check_list import Check, CheckList
from gui.widgets.message import Message

if TYPE_CHECKING:
    from engine import Classifier
    from gui.session.session import Session

_TIP = (
    "A further model: a shipped one, torchvision:NAME, or a file; after a + a defense that changes the image before the model sees it, "
    "such as “digits + jpeg quality=75”. Enter adds it."
)


class ModelChecks(QWidget):
    """The loaded and the shipped models with a tick each, and a line for others. Build it when the engine is loaded."""

    changed = Signal()

    def __init__(self, session: Session, shipped: Sequence[ModelRow], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._shipped = session, tuple(shipped)
        self._named: list[ModelRow] = []
        """The models that were added by hand or by a file, the newest last."""
        self._choices: tuple[ModelRow, ...] = ()
        self.list = CheckList("Models", 6, self)
        self.line = QLineEdit(self)
        self.line.setPlaceholderText("digits + jpeg quality=75")
        self.line.setAccessibleName("Another model, with a defense")
        self.line.setToolTip(_TIP)
        self.add_button = QPushButton(theme.icon("mdi6.plus"), "Add", self)
        self.add_button.setToolTip("Add the model of this line to the list")
        self.message = Message(self)
        row, column = QHBoxLayout(), QVBoxLayout(self)
        row.setSpacing(4)
        row.addWidget(self.line, 1)
        row.addWidget(self.add_button)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.list)
        column.addLayout(row)
        column.addWidget(self.message)
        self.list.changed.connect(self.changed)
        self.add_button.clicked.connect(self._on_add)
        self.line.returnPressed.connect(self._on_add)
        self.line.textEdited.connect(lambda: self.message.say(""))
        session.loaded.changed.connect(self._fill)
        self._fill()
        self._complete()

    @property
    def models(self) -> tuple[ModelRow, ...]:
        """The ticked models, from top to bottom."""
        ticked = self.list.ticked
        return tuple(model for model in self._choices if model.title in ticked)

    def tick_only(self, classifier: Classifier) -> None:
        """Tick a loaded model and no other."""
        self.list.tick([model.title for model in self._choices if model.classifier is classifier])

    def set_models(self, models: Sequence[ModelRow]) -> None:
        """Tick these models and no others; those that are not listed are added."""
        listed = {model.title: model.entry for model in self._choices}
        new = [model for model in models if listed.get(model.title) != model.entry]
        titles = {model.title for model in new}
        self._named = [*(model for model in self._named if model.title not in titles), *new]
        self._fill()
        self.list.tick([model.title for model in models])

    @Slot()
    def _fill(self) -> None:
        self._choices = choices(self._session.loaded.models, self._shipped, self._named)
        self.list.set_checks([Check(model.title, model.title, f"{model.title}\n{model.note}".strip()) for model in self._choices])
        self.changed.emit()

    def _complete(self) -> None:
        from engine.defenses import preprocessing

        words = [f"{model.title} + {slug}" for model in self._choices for slug in preprocessing.CATALOGUE]
        completer = QCompleter(words, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.line.setCompleter(completer)

    @Slot()
    def _on_add(self) -> None:
        from engine.errors import GibbonError

        try:
            model = named_model(self.line.text())
        except GibbonError as error:
            self.message.say(str(error))
            return
        self.message.say("")
        self.line.clear()
        self.set_models([*self.models, model])
        self.changed.emit()
