"""ModelView: a network that an attack trained, with its card, and a button that makes it the present model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton

from engine.text.formatting import with_minus
from gui import theme
from gui.panels.results.content import Item
from gui.panels.results.views import View, page
from gui.session.swap_model import swap_classifier
from gui.widgets.text import Sentence
from gui.widgets.value_table import ValueTable

if TYPE_CHECKING:
    from engine import Classifier
    from gui.session.history import AttackRun
    from gui.session.session import Session


class ModelView(View):
    """The page of a trained network: its card as rows."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._entry: AttackRun | None = None
        self._item: Item | None = None
        self.table, self.facts = ValueTable(self), Sentence(muted=True)
        self.use_button = QPushButton(theme.icon("mdi6.brain"), "Use this model", self)
        self.use_button.setToolTip("Go on with it in the place of the attacked model; that one stays loaded")
        self.use_button.clicked.connect(self.use)
        foot = QHBoxLayout()
        foot.addWidget(self.facts, 1)
        foot.addWidget(self.use_button)
        page(self, self.table, foot)

    def fill(self, entry: AttackRun | None, item: Item) -> None:
        self._entry, self._item = entry, item
        count = sum(parameter.numel() for parameter in item.artifact.module.parameters())
        self.table.set_table(("what", "value"), tuple(_rows(item.artifact.card)))
        self.table.setAccessibleName(item.title)
        self.facts.set_text(f"{count:,} weights")

    @Slot()
    def use(self) -> None:
        """Make the network the session's model."""
        entry, item, session = self._entry, self._item, self.session
        if entry is None or item is None:
            return
        attacked, name = entry.result.classifier, f"{item.title} of {entry.result.classifier.name}"

        def make() -> Classifier:
            from engine import Classifier

            return Classifier(item.artifact.module, attacked.labels, attacked.input_shape, name=name, device=attacked.device)

        swap_classifier(
            session, make, busy=f"Loading {name}…", done=lambda made: session.notice.emit(f"{made.name} is loaded."), failed=_ignore
        )


def _ignore(_sentence: str) -> None:
    """Do nothing with an error's sentence, since the messages have it already."""


def _rows(card: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return name and value of all entries of a card; names of nested ones are paths."""
    rows: list[tuple[str, str]] = []
    for name, value in card.items():
        if isinstance(value, Mapping):
            rows += [(f"{name} {inner}", text) for inner, text in _rows(value)]
        else:
            rows.append((str(name), _text(value)))
    return rows


def _text(value: Any) -> str:
    """Return a value as text: names are joined, numbers have four digits, booleans are yes or no."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return with_minus(f"{value:.4g}")
    if isinstance(value, (list, tuple)):
        return (" × " if value and all(isinstance(part, int) for part in value) else ", ").join(_text(part) for part in value)
    return str(value)
