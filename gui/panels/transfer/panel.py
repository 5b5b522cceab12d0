"""The Transfer dock: every loaded model's prediction for the run on the canvas, with random noise of the same size as the control."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPoint, Qt, Slot
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QStackedLayout, QToolButton, QVBoxLayout, QWidget

from gui import theme
from gui.session.swap_model import swap_classifier
from gui.theme import GRID
from gui.widgets import EmptyState
from gui.widgets.checkpoints import choose_checkpoint, load_checkpoint
from gui.widgets.literal import literal
from gui.widgets.model_dialogs import CodeDialog
from gui.widgets.text import Sentence
from gui.widgets.value_table import ValueTable

if TYPE_CHECKING:
    from engine import Classifier
    from engine.evaluate import Transfer
    from engine.models import ModelEntry
    from gui.session.history import AttackRun
    from gui.session.session import Session
from gui.session.stand_in import is_stand_in

_NOTHING = "The predictions of every loaded model for a run appear here. Run an attack, or show a finished one."
_VERDICT, _LEAST = 200, 72
"""Widths in pixels: the preferred width of the verdict's column, and the minimum of every column."""
_ALONE = "Only the attacked model is loaded. Add others to see whether its adversarial image fools them, too."


class TransferPanel(QWidget):
    """A table with a row per model. It is computed in the engine thread, and only while the dock is visible."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self._requested: tuple[AttackRun | None, tuple[Classifier, ...]] = (None, ())
        self._entries: list[ModelEntry] = []
        self._summary = ""
        """The verdict on the run's result, in a sentence."""
        self.verdict = Sentence(2)
        self.table = ValueTable(self)
        self.add_button = QToolButton(self)
        self.copy_button = QPushButton(theme.icon("mdi6.content-copy"), "Copy CSV", self)
        self.menu = QMenu(self)
        self._pages = QStackedLayout(self)
        self._build()
        session.history.changed.connect(self.refresh)
        session.loaded.changed.connect(self.refresh)
        session.moments.changed.connect(self._on_moment)

    def _build(self) -> None:
        self.table.setAccessibleName("What the models say")
        self.table.setWordWrap(True)
        self.table.setToolTip("Double click: go on with this model. Right click: more.")
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._on_menu)
        self.table.doubleClicked.connect(lambda index: self._use(index.row()))
        self.add_button.setText("Add model")
        self.add_button.setIcon(theme.icon("mdi6.plus"))
        self.add_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.add_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.add_button.setToolTip("Load a further model for this table. The models that were loaded in this session are in it already.")
        self.add_button.setMenu(self.menu)
        self.menu.aboutToShow.connect(self._fill_menu)
        self.copy_button.setToolTip("Copy the table as CSV: labels, probabilities and logits in columns of their own, with all digits")
        self.copy_button.clicked.connect(self.table.copy)
        buttons = QHBoxLayout()
        buttons.addWidget(self.verdict, 1)
        buttons.addWidget(self.add_button)
        buttons.addWidget(self.copy_button)
        body = QWidget(self)
        layout = QVBoxLayout(body)
        layout.setContentsMargins(GRID, 4, GRID, 4)
        layout.setSpacing(4)
        layout.addLayout(buttons)
        layout.addWidget(self.table, 1)
        self._pages.addWidget(EmptyState(_NOTHING, "mdi6.swap-horizontal", self))
        self._pages.addWidget(body)

    # ------------------------------------------------------------------ following the session

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    @property
    def models(self) -> tuple[Classifier, ...]:
        """The loaded models in the order of the rows: the attacked model first."""
        entry = self.session.history.shown
        if entry is None:
            return ()
        attacked = entry.result.classifier
        return (attacked, *(model for model in self.session.loaded.models if model.fingerprint != attacked.fingerprint))

    @Slot()
    def refresh(self) -> None:
        """Request the models' predictions for the run on the canvas, if the dock is visible and they are not known yet."""
        if not self.isVisible():
            return
        entry, models = self.session.history.shown, self.models
        if entry is None or is_stand_in(entry.result.classifier):  # a stand-in knows the run's own images alone
            self._requested = (None, ())
            self._pages.setCurrentIndex(0)
        elif self._requested[0] is not entry or self._requested[1] != models:
            self._requested = (entry, models)
            self.session.ask("transfer", lambda: _transfer(entry, models), self._show, what="Asking the other models")

    def _show(self, transfer: Transfer) -> None:
        if self.session.history.shown is None or self.session.history.shown is not self._requested[0]:
            return
        table = transfer.table()
        data = transfer.data()
        self.table.set_table(table.columns, table.rows, csv=(data.columns, data.rows))
        self._fit_columns()
        self._summary = _ALONE if len(transfer.verdicts) == 1 else _summary(transfer)
        self._on_moment()
        self._pages.setCurrentIndex(1)

    @Slot()
    def _on_moment(self) -> None:
        """Dim the table while the canvas shows an iteration, since it is of the run's result."""
        index = self.session.moments.index
        self.table.setEnabled(index is None)
        self.verdict.set_text(
            self._summary if index is None else f"The canvas shows iteration {index:,}; this table is of the run's result."
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_columns()

    def _fit_columns(self) -> None:
        """Set the widths of the columns. The verdict gets its preferred width, and is wrapped before other columns become unreadable."""
        self._pages.activate()
        table, widths = self.table, self.table.wanted_widths()
        if not widths:
            return
        room = max(_VERDICT, table.viewport().width() - sum(widths[:-1]))
        over = max(0, sum(widths[:-1]) + room - table.viewport().width())
        for column, width in enumerate(widths[:-1]):
            table.setColumnWidth(column, max(_LEAST, width - over * width // sum(widths[:-1])))
        left = table.viewport().width() - sum(table.columnWidth(column) for column in range(len(widths) - 1))
        table.setColumnWidth(len(widths) - 1, max(_LEAST, left))
        table.resizeRowsToContents()

    # ------------------------------------------------------------------ from the user

    @Slot()
    def _fill_menu(self) -> None:
        from engine.models import catalogue

        self.menu.clear()
        self.menu.setToolTipsVisible(True)
        if not self._entries:
            self._entries = catalogue(with_torchvision=False)
            self.session.ask("transfer.models", catalogue, self._on_catalogue, what="Listing torchvision's networks", background=True)
        loaded = {model.source for model in self.session.loaded.models}
        attacked = self.session.classifier if self.session.history.shown is None else self.session.history.shown.result.classifier
        for entry in self._entries:
            if attacked is not None and entry.input_shape[0] != attacked.input_shape[0]:
                continue  # it takes images with other channels
            action = self.menu.addAction(literal(entry.source))  # the title that its row will have
            action.setEnabled(entry.available and entry.source not in loaded)
            missing = "" if entry.available else "; its weights are not on this machine: the Model dock downloads them"
            action.setToolTip(f"{entry.source}: {entry.training or entry.title}, {entry.classes} classes{missing}")
            action.triggered.connect(lambda _checked=False, source=entry.source: self.add(source))
        self.menu.addSeparator()
        self.menu.addAction("Open checkpoint…").triggered.connect(self._choose_checkpoint)
        self.menu.addAction("From your own code…").triggered.connect(self._ask_code)

    def _on_catalogue(self, entries: list[ModelEntry]) -> None:
        """List torchvision's networks, too; those first whose weights are here."""
        self._entries = sorted(entries, key=lambda entry: (entry.kind == "torchvision", not entry.available))
        if self.menu.isVisible():
            self._fill_menu()

    @Slot()
    def _choose_checkpoint(self) -> None:
        path = choose_checkpoint(self)
        if path is not None:
            self.open_checkpoint(path)

    @Slot()
    def _ask_code(self) -> None:
        """Ask for a function of the user's own that gives a model; its code runs only after the user has agreed."""
        dialog = CodeDialog(self)
        dialog.accepted.connect(lambda: self.add(dialog.source, allow_code=True, head=dialog.head.currentData()))
        dialog.open()

    def open_checkpoint(self, path: Path) -> None:
        """Load weights from a file, without making theirs the present model."""
        load_checkpoint(self.session, path, self, self.add)

    def add(self, source: str, **options: Any) -> None:
        """Load a further model, without making it the present one."""
        device = None if self.session.classifier is None else str(self.session.classifier.device)

        def load() -> Classifier:
            import engine

            return engine.models.load(source, device=device, **options)

        self.session.ask(f"load {source}", load, self.session.loaded.add, what=f"Loading {source}", busy=f"Loading {source}…")

    @Slot(QPoint)
    def _on_menu(self, point: QPoint) -> None:
        row = self.table.indexAt(point).row()
        if not 0 <= row < len(self.models):
            return
        model = self.models[row]
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        current = model is self.session.classifier
        use = menu.addAction("Go on with this model", lambda: self._use(row))
        use.setEnabled(not current)
        forget = menu.addAction("Leave out", lambda: self.session.loaded.remove(model))
        forget.setEnabled(row > 0 and not current)
        menu.popup(self.table.viewport().mapToGlobal(point))

    def _use(self, row: int) -> None:
        if 0 <= row < len(self.models) and self.models[row] is not self.session.classifier:
            model, say = self.models[row], self.session.notice.emit
            swap_classifier(self.session, lambda: model, busy=f"Changing to {model.name}…", done=lambda _: None, failed=say)


def _transfer(entry: AttackRun, models: tuple[Classifier, ...]) -> Transfer:
    """Compute the transfer of a run to models. Called in the engine thread."""
    from engine.evaluate import transfer
    from gui.session.attack_verdict import began_words
    from gui.session.run_mask import mask_of

    clean = began_words(entry).rstrip(": ") or "clean"
    mask = mask_of(entry)  # the control noise is restricted to it
    return transfer(entry.result, models, mask=None if mask is None else mask.reshape(1, 1, *mask.shape[-2:]), clean_name=clean)


def _summary(transfer: Transfer) -> str:
    """Say in a sentence how many of the other models are fooled, and name those that cannot be compared."""
    others = transfer.verdicts[1:]
    comparable = [verdict for verdict in others if verdict.comparable]
    fooled = [verdict for verdict in comparable if verdict.fooled is not None and bool(verdict.fooled[0])]
    elsewhere = [verdict.name for verdict in others if verdict.clean is not None and not verdict.comparable]
    refused = [verdict.name for verdict in others if verdict.clean is None]
    count = f"{len(fooled)} of {len(comparable)} other model{'s' if len(comparable) > 1 else ''} fooled, with classes matched by name"
    parts = [count] if comparable else []
    if elsewhere:
        parts.append(f"{_listed(elsewhere)} {'has' if len(elsewhere) == 1 else 'have'} other classes")
    if refused:
        parts.append(f"{_listed(refused)} {'takes' if len(refused) == 1 else 'take'} images of another kind")
    return f"{transfer.title}: {'; '.join(parts)}."


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
