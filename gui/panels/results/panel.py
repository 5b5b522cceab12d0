"""The Results dock: the loss and all artifacts of the run on the canvas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QStackedLayout, QTabWidget, QVBoxLayout, QWidget

from gui.panels.results.content import Item, items_of, live_items
from gui.panels.results.landscape_view import LandscapeView
from gui.panels.results.live_views import LiveLossView, LiveReadingView
from gui.panels.results.model_view import ModelView
from gui.panels.results.perturbation_view import FILTER, PerturbationView, load_button
from gui.panels.results.stickers_view import StickersView
from gui.panels.results.views import CurveView, MapView, PictureView, TableView, View
from gui.settings import Settings
from gui.theme import GRID
from gui.widgets import EmptyState
from gui.widgets.literal import literal
from gui.widgets.text import Sentence

if TYPE_CHECKING:
    from engine.attacks.universal.saved import StoredPerturbation
    from gui.lanes.jobs import Job
    from gui.session.history import AttackRun
    from gui.session.session import Session

_NOTHING = (
    "The loss of a run appears here, with its curves, maps, tables and universal perturbations. Run an attack, or show a finished one."
)
_COMING = "The attack is starting. Its loss appears here with the first steps."
_LENGTHS = (44, 34, 24)
"""Maximum lengths of a tab's text: the first with which all tabs fit is used, else the last."""
_KINDS: dict[str, Callable[[Session], View]] = {
    "live loss": LiveLossView,
    "live reading": LiveReadingView,
    "loss": CurveView,
    "curve": CurveView,
    "map": MapView,
    "landscape": LandscapeView,
    "picture": PictureView,
    "table": TableView,
    "stickers": StickersView,
    "perturbation": PerturbationView,
    "model": ModelView,
}


_JOINTS = (":", ",", " of ", " on ", " along ", " against ", " towards ")
"""Words and signs before which a title can be cut, so that what is left is still a name."""


def tab_texts(items: Sequence[Item], longest: int) -> list[str]:
    """Shorten the titles of tabs to ``longest`` characters, such that all are distinct: at a joint, or else with an ellipsis."""
    texts: list[str] = []
    for item in items:
        text = _shortened(item.title.partition(":")[0], longest)
        texts.append(f"{text} ({item.kind})" if text in texts else text)
    return texts


def _shortened(title: str, longest: int) -> str:
    if len(title) <= longest:
        return title
    heads = [title.partition(joint)[0] for joint in _JOINTS if joint in title]
    fitting = [head for head in heads if len(head) <= longest]
    return max(fitting, key=len) if fitting else f"{title[: longest - 1].rstrip(' ,')}…"


class ResultsPanel(QWidget):
    """One tab per artifact. Pages are reused for other runs, and each is filled when its tab becomes visible."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self._entry: AttackRun | None = None
        self._job: Job | None = None
        """The attack in progress, whose curves are shown in place of those of a finished run."""
        self._placing: AttackRun | None = None
        """The run whose landscape has put a sticker on the canvas."""
        self._items: list[Item] = []
        self._loaded: Item | None = None
        """A perturbation that was loaded from a file: its tab is shown for every run."""
        self._pool: dict[str, list[View]] = {}
        self._filled: set[int] = set()
        self._wanted = ""
        """The title of the tab that the user has chosen."""
        self.tabs = QTabWidget(self)
        self.run_name = QLabel(self)
        self.notes = Sentence(2, muted=True, snug=True)
        """The run's remarks."""
        self._build()
        session.history.changed.connect(self.refresh)
        session.engineReady.connect(self._on_ready)
        session.runs.changed.connect(self.refresh)
        session.runs.progressed.connect(self._on_progress)
        self._on_ready()

    def _build(self) -> None:
        self.tabs.setDocumentMode(True)
        # All tabs are visible: their texts are shortened if necessary, and the tool tips hold the whole titles.
        self.tabs.setElideMode(Qt.TextElideMode.ElideRight)
        self.tabs.setUsesScrollButtons(False)
        self.tabs.setAccessibleName("Results of the run")
        self.run_name.setForegroundRole(self.palette().ColorRole.PlaceholderText)
        self.run_name.setContentsMargins(GRID, 0, GRID, GRID)
        self.tabs.setCornerWidget(self.run_name)
        self.tabs.currentChanged.connect(self._on_tab)
        self.tabs.tabBarClicked.connect(self._on_clicked)
        empty = QWidget(self)
        layout = QVBoxLayout(empty)
        self.empty = EmptyState(_NOTHING, "mdi6.chart-line", empty)
        layout.addWidget(self.empty, 1)
        self.load_button = load_button("Load a universal perturbation…")
        self.load_button.clicked.connect(self.ask_for_file)
        layout.addWidget(self.load_button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(1)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(empty)
        body = QWidget(self)
        rows = QVBoxLayout(body)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        notes = QHBoxLayout()
        notes.setContentsMargins(GRID, 0, GRID, 0)
        notes.addWidget(self.notes)
        rows.addLayout(notes)
        rows.addWidget(self.tabs, 1)
        self._pages.addWidget(body)

    @Slot()
    def _on_ready(self) -> None:
        self.load_button.setEnabled(self.session.ready)

    # ------------------------------------------------------------------ following the session

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show the attack in progress or else the run on the canvas, if the dock is visible."""
        job = self.session.runs.job
        self.empty.set_text(_NOTHING if job is None else _COMING)
        entry = self._run_to_show if job is None else None
        if self.isVisible() and (entry is not self._entry or job is not self._job):
            self._entry, self._job = entry, job
            self._set_items()

    @property
    def _run_to_show(self) -> AttackRun | None:
        """The run on the canvas, or the one whose landscape puts stickers there, which change the canvas."""
        shown, placing = self.session.history.shown, self._placing
        if shown is not None or placing is None or not self.session.is_current(placing.scene):
            return shown
        return placing

    @Slot(object)
    def _on_placing(self, run: AttackRun) -> None:
        """Keep a run while stickers are put at places of its landscape."""
        self._placing = run

    @Slot()
    def _on_progress(self) -> None:
        """Add the tabs of an attack in progress when its first steps and readings have come."""
        job = self._job
        if job is not None and self.isVisible() and [item.title for item in self._live()] != [item.title for item in self._items_of_run()]:
            self._set_items()

    def _live(self) -> list[Item]:
        return live_items(sorted(self._job.readings)) if self._job is not None and self._job.losses else []

    def _items_of_run(self) -> list[Item]:
        return [item for item in self._items if item is not self._loaded]

    def _set_items(self) -> None:
        entry = self._entry
        self._show_notes(() if entry is None else entry.result.remarks)
        self._items = [*(self._live() if entry is None else items_of(entry)), *([] if self._loaded is None else [self._loaded])]
        self._filled.clear()
        self.tabs.blockSignals(True)
        self.tabs.clear()
        used: dict[str, int] = {}
        for item in self._items:
            place = used[item.kind] = used.get(item.kind, -1) + 1
            self.tabs.setTabToolTip(self.tabs.addTab(self._view(item.kind, place), ""), item.title)
        titles = [item.title for item in self._items]
        self.tabs.setCurrentIndex(titles.index(self._wanted) if self._wanted in titles else 0)
        self.tabs.blockSignals(False)
        self._pages.setCurrentIndex(1 if self._items else 0)
        self._on_tab(self.tabs.currentIndex())
        self._fit()

    def _show_notes(self, remarks: Sequence[str]) -> None:
        text = " ".join(remarks)
        self.notes.set_text(text)
        self.notes.setVisible(bool(text))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Set the texts of tabs and run: the longest with which every tab is visible, and at least the run's number."""
        number, title = ("", "") if self._entry is None else (f"#{self._entry.number}", self._entry.title)
        self.run_name.setToolTip(title)
        for longest, name in (*((longest, title) for longest in _LENGTHS), (_LENGTHS[-1], number)):
            for index, text in enumerate(tab_texts(self._items, longest)):
                self.tabs.setTabText(index, literal(text))
            self.run_name.setText(name)
            if self.tabs.tabBar().sizeHint().width() + self.run_name.sizeHint().width() <= self.width():
                break

    def _view(self, kind: str, place: int) -> View:
        pool = self._pool.setdefault(kind, [])
        if len(pool) <= place:
            view = _KINDS[kind](self.session)
            if isinstance(view, PerturbationView):
                view.loadAsked.connect(self.ask_for_file)
            if isinstance(view, LandscapeView):
                view.placing.connect(self._on_placing)
            pool.append(view)
        return pool[place]

    @Slot(int)
    def _on_tab(self, index: int) -> None:
        if 0 <= index < len(self._items) and index not in self._filled:
            self._filled.add(index)
            view, item = self.tabs.widget(index), self._items[index]
            assert isinstance(view, View)
            view.fill(None if item is self._loaded else self._entry, item)

    @Slot(int)
    def _on_clicked(self, index: int) -> None:
        if 0 <= index < len(self._items):
            self._wanted = self._items[index].title

    # ------------------------------------------------------------------ a perturbation from a file

    @Slot()
    def ask_for_file(self) -> None:
        """Open a file dialog, and load the chosen file."""
        settings = Settings()
        path, _ = QFileDialog.getOpenFileName(self, "Load perturbation", str(settings.folder("save")), FILTER)
        if path:
            settings.keep_folder("save", Path(path).parent)
            self.load(Path(path))

    def load(self, path: Path) -> None:
        """Load a universal perturbation from a file. If that fails, the error goes to the messages."""

        def read() -> StoredPerturbation:
            from engine.attacks import load_perturbation

            return load_perturbation(path)

        def then(perturbation: StoredPerturbation) -> None:
            self._loaded = Item("perturbation", path.stem, perturbation, True, path)
            self._wanted = path.stem
            self._set_items()

        self.session.ask("perturbation", read, then, what="Opening the perturbation", busy=f"Loading {path.name}…", keep=True)
