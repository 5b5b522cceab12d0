"""ModelChip: the model's name and accuracy; its popup chooses another one."""

from __future__ import annotations

from PySide6.QtCore import QRect, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QToolButton, QWidget

from gui import theme
from gui.session.model_words import accuracy_forms
from gui.shell.actions.shell import Shell
from gui.shell.spine.chip import Chip
from gui.shell.spine.content import Content, Way
from gui.shell.spine.line import Line

_SIDE = 18


class ModelChip(Chip):
    """Shows the model; while a bound is on it, that with a button to lift it."""

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__("Model", "Choose another model", "Ctrl+M", parent)
        self._shell, self._session = shell, shell.session
        self._failure = ""
        self.lift = QToolButton(self)
        self.lift.setIcon(theme.icon("mdi6.close"))
        self.lift.setAutoRaise(True)
        self.lift.setAccessibleName("Lift the bound")
        self.lift.clicked.connect(lambda: self._session.set_bounds({}))
        self.opening.connect(self._fill)
        session = self._session
        for signal in (session.engineReady, session.classifierChanged, session.boundsChanged):
            signal.connect(self._show)
        session.models.said.connect(self._on_said)
        session.busyChanged.connect(self._show)
        self._show()

    @Slot()
    def _show(self) -> None:
        classifier, bounds = self._session.classifier, self._session.bounds
        self.setEnabled(self._session.ready)
        self.lift.setVisible(bool(bounds))
        if classifier is None:
            ready = "No model" if self._session.ready else "Loading…"
            self.show_lines(Line(ready), Line("", ("choose one", "")) if self._session.ready else Line())
            return
        name, colour = Line(classifier.name), None
        second = Line("", accuracy_forms(classifier.card))
        tip = f"fingerprint {classifier.source or classifier.name}" if not classifier.source else f"Loaded from {classifier.source}"
        if self._failure:
            second, colour, tip = Line("", ("loading failed", "failed")), theme.MISTAKE, self._failure
        elif bounds:
            second, colour, tip = Line("", bound_forms(bounds)), theme.ALERT, f"{bound_words(bounds)} The × lifts it."
        self.lift.setToolTip(f"{bound_words(bounds)} Lift it." if bounds else "")
        self.show_lines(name, second, colour, tip)

    @Slot(str, str)
    def _on_said(self, sentence: str, kind: str) -> None:
        self._failure = sentence if kind == "error" else ""
        self._show()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.lift.setGeometry(QRect(self.width() - _SIDE - 14, self.height() - _SIDE - 1, _SIDE, _SIDE))

    # ------------------------------------------------------------------ the popup

    @Slot()
    def _fill(self) -> None:
        if self.popup is None:
            from gui.choosers.models import ModelList

            self.list = ModelList(self._session.models)
            models = self._session.models
            ways = (
                Way("Open checkpoint…", "Weights from a file", "mdi6.folder-open-outline", lambda: models.checkpointAsked.emit("")),
                Way("Own code…", "A model that a function of your own Python file gives", "mdi6.language-python", self._own_code),
                Way("Card, swaps…", "The Model dock: card, device, swapped activations, layers", "mdi6.card-text-outline", self._to_dock),
            )
            popup = self.set_popup(Content(self.list, ways, self._close))
            self.list.activated.connect(popup.hide)
            self.list.filled.connect(popup.fit)
            self.list.activated.connect(models.choose)
        classifier = self._session.classifier
        self.list.fill()
        self.list.highlight(None if classifier is None else self._session.models.source_of(classifier))
        self.list.start()

    def _close(self) -> None:
        if self.popup is not None:
            self.popup.hide()

    def _own_code(self) -> None:
        self._session.models.codeAsked.emit("")

    def _to_dock(self) -> None:
        self._shell.bring_up("model")


def bound_forms(bounds: object) -> tuple[str, ...]:
    """Return the bounds in a few words, from the longest form to the shortest."""
    from collections.abc import Mapping

    assert isinstance(bounds, Mapping)
    values = sorted(set(bounds.values()))
    where = f"{len(bounds)} layer{'' if len(bounds) == 1 else 's'}"
    at = f" at {values[0]:.3g}" if len(values) == 1 else ""
    return (f"bounded{at}, {where}", f"bounded{at}", "bounded")


def bound_words(bounds: object) -> str:
    """Return a sentence on the bounds."""
    return f"A bound is on, for every image: {bound_forms(bounds)[0]}."
