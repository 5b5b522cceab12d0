"""ReproduceWindow: the experiments of the lectures, run in the background lane; ours beside theirs, with a verdict and the figure."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from gui import theme
from gui.engine_thread import Job, Outcome
from gui.figure_dialog import attempt
from gui.forms import Form
from gui.plots.value_table import ValueTable
from gui.widgets import EmptyState, Message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine import Result
    from engine.reproduce import Experiment
    from gui.session import Session
    from gui.settings import Settings

_TICK_MS = 100
_SLUG = Qt.ItemDataRole.UserRole
_PIXELS = 1400
"""Width of the figure as it is drawn for the window."""


@dataclass(frozen=True, eq=False)
class Shown:
    """What a finished experiment shows."""

    result: Result
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str
    notes: tuple[str, ...]
    verdict: str
    failed: bool
    picture: bytes | None

    @property
    def reason(self) -> str:
        """Why the run ended."""
        return str(self.result.reason)


class ReproduceWindow(QDialog):
    """Experiments at the left; what it is, its parameters, its table and its figure at the right. There is one; closed, it runs on."""

    def __init__(self, session: Session, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._settings = session, settings
        self._job: Job | None = None
        self._slug = self._running = ""
        self._forms: dict[str, Form] = {}
        self._shown: dict[str, Shown] = {}
        self._news = ""
        self.setWindowTitle("Reproduce the lectures")
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._on_tick)
        self._build()
        session.background.done.connect(self._on_done)
        self.resize(1180, 760)

    # ------------------------------------------------------------------ building

    def _build(self) -> None:
        from engine.reproduce import CATALOGUE

        self._catalogue: Mapping[str, type[Experiment]] = CATALOGUE
        self.list = QListWidget(self)
        self.list.setAccessibleName("Experiments")
        self.list.setMinimumWidth(200)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for slug, kind in CATALOGUE.items():
            item = QListWidgetItem(kind.title)
            item.setData(_SLUG, slug)
            item.setToolTip(f"{kind.title}\n{kind.source}\n{slug} on the command line")
            self.list.addItem(item)
        self.list.currentItemChanged.connect(self._on_chosen)
        splitter = QSplitter(self)
        splitter.addWidget(self.list)
        splitter.addWidget(self._build_page())
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([300, 860])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*[2 * theme.GRID] * 4)
        layout.addWidget(splitter)
        self.list.setCurrentRow(0)

    def _build_page(self) -> QWidget:
        self.about, self.source, self.verdict = (QLabel(self) for _ in range(3))
        for label in (self.about, self.source, self.verdict):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.source.setForegroundRole(self.palette().ColorRole.PlaceholderText)
        self._forms_box = QVBoxLayout()
        self.table = ValueTable(self)
        self.table.setAccessibleName("Ours beside theirs")
        self.table.setMinimumHeight(120)
        self.picture = QLabel(self)
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.area = QScrollArea(self)
        self.area.setWidget(self.picture)
        self.area.setWidgetResizable(True)
        self.area.setMinimumHeight(160)
        self.empty = EmptyState("Run it: here stand the lecture's numbers, the paper's and ours.", "mdi6.flask-outline", self)
        page = QWidget(self)
        layout = QVBoxLayout(page)
        layout.setContentsMargins(theme.GRID, 0, 0, 0)
        layout.addWidget(self.about)
        layout.addWidget(self.source)
        layout.addLayout(self._forms_box)
        layout.addWidget(self.verdict)
        layout.addWidget(self.empty, 1)
        layout.addWidget(self.table, 2)
        layout.addWidget(self.area, 3)
        layout.addLayout(self._build_foot())
        return page

    def _build_foot(self) -> QVBoxLayout:
        self.message = Message(self)
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName("Progress of the experiment")
        self.news = QLabel(self)
        self.news.setMinimumWidth(1)
        self.run_button = theme.primary(QPushButton("Run", self), "mdi6.play")
        self.run_button.setMinimumWidth(20 * theme.GRID)
        self.run_button.setDefault(True)
        self.run_button.clicked.connect(self.run)
        self.cancel_button = QPushButton(theme.icon("mdi6.stop"), "Cancel", self)
        self.cancel_button.setToolTip("End the experiment at its next step; nothing is kept of it")
        self.cancel_button.clicked.connect(self.cancel)
        self.save_button = QPushButton(theme.icon("mdi6.file-export-outline"), "Save…", self)
        self.save_button.setToolTip("Write the figure (PDF) and the table (JSON) into a folder")
        self.save_button.clicked.connect(self._choose_folder)
        buttons = QHBoxLayout()
        buttons.addWidget(self.news, 1)
        for button in (self.save_button, self.cancel_button, self.run_button):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        column = QVBoxLayout()
        column.addWidget(self.message)
        column.addWidget(self.bar)
        column.addLayout(buttons)
        return column

    # ------------------------------------------------------------------ choosing

    def choose(self, slug: str) -> None:
        """Show an experiment."""
        for row in range(self.list.count()):
            if self.list.item(row).data(_SLUG) == slug:
                self.list.setCurrentRow(row)

    @Slot(QListWidgetItem, QListWidgetItem)
    def _on_chosen(self, item: QListWidgetItem | None, _before: QListWidgetItem | None) -> None:
        if item is None:
            return
        self._slug = item.data(_SLUG)
        kind = self._catalogue[self._slug]
        self.about.setText(" ".join((kind.__doc__ or "").split("\n\n")[0].split()))
        data = kind.data_set if kind.found(self._session.data_sources.root) else _stand_in(kind)
        needs = f"Model {kind.model or 'of its own'}; data {data or 'none'}."
        self.source.setText(f"{kind.source}. {kind.paper}{'. ' if kind.paper else ''}{needs} Accepted: {kind.tolerance}")
        if self._slug not in self._forms:
            form = self._forms[self._slug] = Form(self)
            self._forms_box.addWidget(form)
            form.set_operation(kind)
            form.changed.connect(self._refresh)
        for slug, form in self._forms.items():
            form.setVisible(slug == self._slug and bool(form.fields))
        self.message.say("")
        self._show()

    def _show(self) -> None:
        shown = self._shown.get(self._slug)
        for widget in (self.table, self.area, self.verdict):
            widget.setVisible(shown is not None)
        self.empty.setVisible(shown is None)
        if shown is not None:
            order = _verdict_second(len(shown.columns))
            self.table.set_table([shown.columns[i] for i in order], [[row[i] for i in order] for row in shown.rows])
            colour = theme.readable(theme.ADVERSARIAL if shown.failed else theme.LABEL, self.palette()).name()
            notes = f"<br>{' '.join(shown.notes)}" if shown.notes else ""
            self.verdict.setText(f'<b style="color:{colour}">{shown.verdict}</b> {shown.title}{notes}')
            self.area.setVisible(shown.picture is not None)
            self._fit_picture()
        self._refresh()

    def _fit_picture(self) -> None:
        shown = self._shown.get(self._slug)
        if shown is None or shown.picture is None:
            return
        pixmap = QPixmap()
        pixmap.loadFromData(shown.picture)
        ratio = self.devicePixelRatioF()
        width = min(pixmap.width(), round((self.area.viewport().width() - theme.GRID) * ratio))
        pixmap = pixmap.scaledToWidth(max(1, width), Qt.TransformationMode.SmoothTransformation)
        pixmap.setDevicePixelRatio(ratio)
        self.picture.setPixmap(pixmap)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_picture()

    # ------------------------------------------------------------------ running

    @Slot()
    def run(self) -> None:
        """Run the experiment that is chosen."""
        experiment = self._forms[self._slug].operation
        if experiment is None or self._job is not None:
            return
        root, device = self._session.data_sources.root, None
        if self._session.classifier is not None:
            device = str(self._session.classifier.device)
        self._running, self._news = self._slug, ""
        dark = theme.is_dark(self.palette())
        job = Job("experiment", lambda: _make(experiment, root, device), _look, lambda result: _finished(result, dark))
        self._job = self._session.background.submit(job)
        job.want_preview()
        self.message.say("")
        self._timer.start()
        self._refresh()

    @Slot()
    def cancel(self) -> None:
        """End it at its next step."""
        if self._job is not None:
            self._session.background.cancel(self._job)
            self._refresh()

    @Slot()
    def _on_tick(self) -> None:
        job = self._job
        if job is None:
            self._timer.stop()
            return
        news = job.take_preview()
        self._news = news or self._news
        job.want_preview()
        self.bar.setRange(0, job.total or 0)
        self.bar.setValue(max(0, job.index))
        title = self._catalogue[self._running].title
        self.news.setText(self._news if self._running == self._slug else f"{title}: {self._news}")

    @Slot(object)
    def _on_done(self, outcome: Outcome) -> None:
        if outcome.job is not self._job:
            return
        slug, self._job = self._running, None
        self._timer.stop()
        self.news.clear()
        title = self._catalogue[slug].title
        if outcome.status == "failed":
            self._session.log("error", outcome.error, outcome.details)
            if slug == self._slug:
                self.message.say(outcome.error)
        elif outcome.status == "finished":
            self._shown[slug] = outcome.result
            self._session.log("info", f"{title}: {outcome.result.verdict}")
        else:
            self._session.log("info", f"{title} was cancelled.")
        self._show()

    @Slot()
    def _refresh(self) -> None:
        running = self._job is not None
        form = self._forms.get(self._slug)
        self.run_button.setEnabled(not running and form is not None and form.operation is not None)
        self.run_button.setToolTip("Another experiment is running" if running else "Run this experiment with the parameters above")
        self.cancel_button.setEnabled(self._job is not None and not self._job.cancelled)
        self.save_button.setEnabled(self._slug in self._shown)
        self.bar.setVisible(running)

    # ------------------------------------------------------------------ saving

    @Slot()
    def _choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder for the figure and the table", str(self._settings.folder("figures")))
        if folder:
            self.save(Path(folder))

    def save(self, folder: Path) -> None:
        """Write figure and table; what is there under their names is not written over."""
        self._settings.keep_folder("figures", folder)
        result, session = self._shown[self._slug].result, self._session

        def then(came: list[Path] | str) -> None:
            if isinstance(came, str):
                session.log("error", came)
                self.message.say(came)
            else:
                session.log("info", f"Wrote {', '.join(str(path) for path in came)}")
                self.message.say(f"Written into {folder}.", "hint")

        session.ask("export", lambda: attempt(lambda: _write(result, folder)), then, busy="Writing the experiment…")


def _verdict_second(columns: int) -> list[int]:
    """Quantity, verdict, and the numbers that it rests on: what matters is in sight, however long the numbers."""
    return [0, columns - 1, *range(1, columns - 1)]


# ---------------------------------------------------------------------- in the engine thread


def _make(experiment: Any, root: Path | None, device: str | None) -> Any:
    import engine

    if root is not None:
        experiment = experiment.model_copy(update={"data": root})
    return engine.start(experiment, type(experiment).load(device))


def _look(_run: Any, step: Any) -> str:
    return str(step.news)


def _finished(result: Result, dark: bool) -> Shown:
    from engine.reproduce.writing import figure_of, table_of

    table = table_of(result)
    verdicts = [row[-1] for row in table.rows]
    failed, passed = verdicts.count("fail"), verdicts.count("pass")
    said = f"{failed} of {failed + passed} checks failed." if failed else f"All {passed} checks passed." if passed else "No threshold."
    picture = None
    if result.reason == "finished":
        stream = io.BytesIO()
        made = figure_of(result, dark=dark)
        made.savefig(stream, format="png", dpi=_PIXELS / made.get_size_inches()[0], facecolor=made.get_facecolor())
        picture = stream.getvalue()
    return Shown(result, table.columns, table.rows, table.title, tuple(table.notes), said, bool(failed), picture)


def _write(result: Result, folder: Path) -> list[Path]:
    from engine.errors import GibbonError
    from engine.reproduce.writing import planned, write

    there = [path for path in planned(result.operation, folder, model=False) if path.exists()]  # type: ignore[arg-type]
    if there:
        raise GibbonError(f"“{there[0].name}” is there already in {folder}. Choose another folder.")
    return write(result, folder)


def _stand_in(kind: type[Experiment]) -> str:
    missing = f"{kind.data_set}, which is not on this machine"
    return f"{missing}: {kind.fallback} stands in" if kind.fallback else f"{missing}: set GIBBON_DATA to its folder"
