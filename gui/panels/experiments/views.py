"""Parts of the Experiments dock: the list of experiments, the description of one, and its outcome."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFormLayout, QLabel, QListWidget, QListWidgetItem, QStackedWidget, QVBoxLayout, QWidget

from engine.text.formulas import in_signs
from gui import theme
from gui.forms import Form
from gui.panels.experiments.verdict_table import VerdictTable
from gui.widgets import ElidedLabel, EmptyState, FigureView
from gui.widgets.text import Sentence

if TYPE_CHECKING:
    from engine.reproduce import Experiment
    from gui.panels.experiments.work import ExperimentOutcome

_SLUG = Qt.ItemDataRole.UserRole
_FACTS = ("lecture", "paper", "model", "data", "accepted")
_NOT_RUN = "mdi6.flask-outline"
_ICON = 16
_NOTHING = "Run it to compare our numbers with the lecture's and the paper's."
_COMING = "It is under way. Our numbers beside the lecture's and the paper's, and the figure, appear here when it has ended."


class ExperimentList(QListWidget):
    """The list of experiments, one row each, with an icon of the outcome."""

    def __init__(self, catalogue: Mapping[str, type[Experiment]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Experiments")
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setIconSize(QSize(_ICON, _ICON))
        high = self.fontMetrics().height() + theme.GRID
        for slug, kind in catalogue.items():
            item = QListWidgetItem(kind.title)
            item.setData(_SLUG, slug)
            item.setSizeHint(QSize(0, high))
            item.setToolTip(f"{kind.title}\n{kind.source}\n{slug} on the command line")
            self.addItem(item)
        self.setMaximumHeight(high * self.count() + 2 * self.frameWidth())
        self.setMinimumHeight(4 * high)

    def choose(self, slug: str) -> None:
        """Make a row the current one."""
        for row in range(self.count()):
            if self.item(row).data(_SLUG) == slug:
                self.setCurrentRow(row)

    def slug(self) -> str:
        """Return the slug of the current row."""
        return str(self.currentItem().data(_SLUG))

    def mark(self, outcomes: Mapping[str, ExperimentOutcome], running: str) -> None:
        """Set each row's icon: running, not run, failed, passed, or without a verdict."""
        for row in range(self.count()):
            item = self.item(row)
            slug = item.data(_SLUG)
            outcome = outcomes.get(slug)
            if slug == running:
                item.setIcon(theme.icon("mdi6.progress-clock", QPalette.ColorRole.Text))
            elif outcome is None:
                item.setIcon(theme.icon(_NOT_RUN, QPalette.ColorRole.PlaceholderText))
            elif outcome.failed:
                item.setIcon(theme.icon("mdi6.alert-circle-outline", theme.readable(theme.ADVERSARIAL, self.palette())))
            elif outcome.passed:
                item.setIcon(theme.icon("mdi6.check-circle-outline", theme.readable(theme.LABEL, self.palette())))
            else:
                item.setIcon(theme.icon("mdi6.minus-circle-outline", QPalette.ColorRole.Text))


class AboutExperiment(QWidget):
    """The description of an experiment: a sentence, its sources, model, data and tolerance, and the form of its parameters."""

    changed = Signal()
    """A parameter has changed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.forms: dict[str, Form] = {}
        self.summary = _wrapped(self)
        self._rows = QFormLayout()
        self._rows.setHorizontalSpacing(theme.GRID)
        self._rows.setVerticalSpacing(4)
        self.facts = {name: _wrapped(self) for name in _FACTS}
        for name, label in self.facts.items():
            self._rows.addRow(_caption(name, self), label)
        self._forms_box = QVBoxLayout()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, theme.GRID, 0)
        layout.setSpacing(theme.GRID)
        layout.addWidget(self.summary)
        layout.addLayout(self._rows)
        layout.addLayout(self._forms_box)
        layout.addStretch(1)

    def add_model(self, chooser: QWidget) -> None:
        """Put a chooser into the row of the model, in place of its text."""
        self._rows.insertRow(2, _caption("model", self), chooser)
        self._rows.removeRow(self.facts.pop("model"))

    def show_kind(self, kind: type[Experiment], data: str) -> None:
        """Show an experiment; ``data`` names its data set."""
        self.summary.setText(in_signs(" ".join((kind.__doc__ or "").split("\n\n")[0].split())))
        texts = {"lecture": kind.source, "paper": kind.paper, "model": kind.model or "its own", "data": data, "accepted": kind.tolerance}
        for name, label in self.facts.items():
            text = texts[name]
            label.setText(text)
            self._rows.setRowVisible(label, bool(text))
        if kind.slug not in self.forms:
            form = self.forms[kind.slug] = Form(self)
            self._forms_box.addWidget(form)
            form.set_operation(kind)
            form.changed.connect(self.changed)
        for slug, form in self.forms.items():
            form.setVisible(slug == kind.slug and bool(form.fields))


class OutcomeView(QStackedWidget):
    """The outcome of an experiment: its verdict, table and figure; before the first run, a hint."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.verdict = Sentence(1, bold=True)
        self.heading = ElidedLabel("", self)
        self.notes = Sentence(4, muted=True)
        self.table = VerdictTable(self)
        self.table.setAccessibleName("Ours beside theirs")
        self.figure = FigureView(self)
        self.figure.setAccessibleName("Figure of the experiment")
        page = QWidget(self)
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for widget in (self.verdict, self.heading, self.table, self.notes):
            layout.addWidget(widget)
        layout.addWidget(self.figure, 1)
        self.setMinimumWidth(320)
        self.empty = EmptyState(_NOTHING, _NOT_RUN, self)
        self.addWidget(self.empty)
        self.addWidget(page)

    def show_outcome(self, shown: ExperimentOutcome | None, running: bool) -> None:
        """Show an experiment's outcome, or a hint if it has none yet."""
        self.empty.set_text(_COMING if running else _NOTHING)
        self.setCurrentIndex(0 if shown is None else 1)
        if shown is None:
            return
        self.verdict.set_text(shown.verdict, theme.ADVERSARIAL if shown.failed else theme.LABEL if shown.passed else None)
        self.heading.setText(shown.title)
        self.table.set_findings(shown.columns, shown.rows)
        self.notes.set_text(" ".join(shown.notes))
        self.notes.setToolTip("\n\n".join(shown.notes))
        self.notes.setVisible(bool(shown.notes))
        self.figure.set_png(shown.picture)


def _wrapped(parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _caption(text: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    return label
