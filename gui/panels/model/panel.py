"""The Model dock: the card of the present classifier, and the sources of others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QStackedLayout, QVBoxLayout, QWidget

from gui import theme
from gui.panels.model.card import Card
from gui.panels.model.dialogs import CodeDialog, ask_download, ask_head
from gui.panels.model.download import Download
from gui.panels.model.layers import LayerTree
from gui.panels.model.sources import SourceList
from gui.panels.model.swap import moved_to, origin_of, with_activations
from gui.session.swap_model import swap_classifier
from gui.widgets import EmptyState, Message, Section, scrolling
from gui.widgets.checkpoints import choose_checkpoint, load_checkpoint

if TYPE_CHECKING:
    from engine import Classifier
    from engine.models import ModelEntry
    from engine.models.torchvision import Published
    from gui.session.session import Session


class ModelPanel(QWidget):
    """The dock, enabled when the engine is loaded. A failed load leaves everything as it is."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._asks_head = False
        """Whether the last load needs the user to choose how to get logits from a model that ends in probabilities."""
        self._stack = QStackedLayout(self)
        self._stack.addWidget(EmptyState("The engine is loading. In a moment the models are listed here.", "mdi6.timer-sand"))
        page = QWidget(self)
        layout = QVBoxLayout(page)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(8)
        for section in (self._build_current(), self._build_load(), self._build_layers()):
            layout.addWidget(section)
        layout.addStretch(1)
        self._page = scrolling(page)
        self._stack.addWidget(self._page)
        self._connect()
        if session.ready:
            self._on_ready()

    # ------------------------------------------------------------------ building

    def _build_current(self) -> Section:
        section = Section("Current model", self)
        self._empty = QLabel("No model is loaded. Choose one below.", self)
        self._empty.setWordWrap(True)
        self.card = Card(self._session, self)
        self.swap = self.card.swap
        self.card.hide()
        section.add(self._empty)
        section.add(self.card)
        return section

    def _build_load(self) -> Section:
        section = Section("Load another", self)
        self.sources = SourceList(self)
        self.load_button = theme.primary(QPushButton("Load", self), "mdi6.cube-outline")
        self.load_button.setEnabled(False)
        self.load_button.setToolTip("Select a model above")
        self._file = QPushButton("Open checkpoint…", self)
        self._file.setToolTip("Weights from a file: .safetensors, or .pt/.pth, which are read without running code")
        self._code = QPushButton("Own code…", self)
        self._code.setToolTip("A model that a function of your own Python file gives")
        others = QHBoxLayout()
        others.setSpacing(8)
        others.addWidget(self._file, 1)
        others.addWidget(self._code, 1)
        self.message = Message(self)
        self.download = Download(self)
        section.add(self.sources)
        section.add(self.message)
        section.add(self.download)
        section.add(self.load_button)
        section.layout_.addLayout(others)
        return section

    def _build_layers(self) -> Section:
        self._layers_section = Section("Layers", self, opened=False)
        self.layers = LayerTree(self)
        self._layers_section.add(self.layers)
        self._layers_section.toggled.connect(self._on_layers)
        return self._layers_section

    def _connect(self) -> None:
        session = self._session
        session.engineReady.connect(self._on_ready)
        session.classifierChanged.connect(self._on_classifier)
        session.threadsChanged.connect(self.card.show_threads)
        self.sources.activated.connect(self.load_entry)
        self.sources.selected.connect(self._on_selected)
        self.sources.torchvisionWanted.connect(self._list_torchvision)
        self.load_button.clicked.connect(self._on_load)
        self._file.clicked.connect(self._on_file)
        self._code.clicked.connect(self._on_code)
        self.download.fetched.connect(self._on_fetched)
        self.download.failed.connect(self._on_not_fetched)
        self.card.device.activated.connect(self._on_device)
        self.swap.wanted.connect(self._on_swap)

    # ------------------------------------------------------------------ loading

    def load(self, source: str, **options: Any) -> None:
        """Load a source in the engine thread; ``options`` are those of ``engine.models.load``."""
        device = str(self._session.classifier.device) if self._session.classifier is not None else None

        def make() -> Classifier:
            import engine
            from engine.errors import EndsInProbabilities

            try:
                return engine.models.load(source, device=device, **options)
            except EndsInProbabilities:
                self._asks_head = options.get("head", "logits") == "logits"
                raise

        self._asks_head = False
        self.message.say("")
        name = Path(source.partition(".py:")[0]).name

        def failed(error: str) -> None:
            self.message.say(error)
            if self._asks_head:
                ask_head(self, lambda head: self.load(source, **{**options, "head": head}))

        swap_classifier(self._session, make, busy=f"Loading {name}…", done=self._on_loaded, failed=failed)

    @Slot(object)
    def load_entry(self, entry: ModelEntry) -> None:
        """Load a model of the list; one that is not on this machine is offered for download first."""
        if entry.available:
            self.load(entry.source)
        else:
            self._session.ask("published", lambda: _missing(entry.source), self._offer, what="Looking for the weights")

    def load_checkpoint(self, path: Path) -> None:
        """Load weights from a file. If no card names their architecture, a dialog asks for it."""
        load_checkpoint(self._session, path, self, self.load)

    def _on_loaded(self, classifier: Classifier) -> None:
        self._session.log("info", f"Loaded “{classifier.name}”, {classifier.num_classes} classes, on {classifier.device}.")

    # ------------------------------------------------------------------ downloads

    def _offer(self, about: Published | None) -> None:
        if about is None:  # the file has arrived meanwhile
            if self.sources.entry is not None:
                self.load(self.sources.entry.source)
            return
        ask_download(self, about, lambda: self._start_download(about))

    def _start_download(self, about: Published) -> None:
        self.message.say("")
        self.download.start(about)

    @Slot(str)
    def _on_fetched(self, source: str) -> None:
        self.load(source)
        self._list_torchvision()

    @Slot(str, bool)
    def _on_not_fetched(self, sentence: str, by_hand: bool) -> None:
        self.message.say(sentence, "hint" if by_hand else "error")
        self._session.log("info" if by_hand else "error", sentence)

    # ------------------------------------------------------------------ from the session

    @Slot()
    def _on_ready(self) -> None:
        from engine.models import catalogue

        self._stack.setCurrentWidget(self._page)
        self._session.ask(
            "shipped", lambda: catalogue(with_torchvision=False), self.sources.show_shipped, what="Listing the shipped models"
        )
        self._on_classifier()

    @Slot()
    def _list_torchvision(self) -> None:
        def published() -> list[ModelEntry]:
            from engine.models import catalogue

            return [entry for entry in catalogue() if entry.kind == "torchvision"]

        what = "Listing torchvision's networks"
        self._session.ask("torchvision", published, self.sources.show_torchvision, what=what, busy=f"{what}…")

    @Slot()
    def _on_classifier(self) -> None:
        classifier = self._session.classifier
        if classifier is None:
            return
        self.message.say("")
        self.swap.show_origin(origin_of(classifier))
        self.card.show()
        self._empty.hide()
        self.card.show_classifier(classifier)
        if self._layers_section.opened:
            self.layers.show_classifier(classifier)

    @Slot(bool)
    def _on_layers(self, opened: bool) -> None:
        if opened and self._session.classifier is not None:
            self.layers.show_classifier(self._session.classifier)

    # ------------------------------------------------------------------ from the user

    @Slot()
    def _on_selected(self) -> None:
        entry = self.sources.entry
        self.load_button.setEnabled(entry is not None)
        fetch = entry is not None and not entry.available
        self.load_button.setText("Download and load…" if fetch else "Load")
        self.load_button.setToolTip("Select a model above" if entry is None else f"Load {entry.source}")

    @Slot()
    def _on_load(self) -> None:
        if self.sources.entry is not None:
            self.load_entry(self.sources.entry)

    @Slot()
    def _on_file(self) -> None:
        path = choose_checkpoint(self)
        if path is not None:
            self.load_checkpoint(path)

    @Slot()
    def _on_code(self) -> None:
        dialog = CodeDialog(self)
        dialog.accepted.connect(lambda: self.load(dialog.source, allow_code=True, head=dialog.head.currentData()))
        dialog.open()

    @Slot(int)
    def _on_device(self, index: int) -> None:
        classifier, device = self._session.classifier, self.card.device.itemData(index)
        if classifier is not None and str(classifier.device) != device:
            swap_classifier(
                self._session,
                lambda: moved_to(classifier, device),
                busy=f"Moving to {device}…",
                done=lambda _: None,
                failed=self.message.say,
            )

    @Slot(str, float)
    def _on_swap(self, choice: str, bound: float) -> None:
        classifier = self._session.classifier
        if classifier is None:
            return
        base = origin_of(classifier).base
        swap_classifier(
            self._session,
            lambda: with_activations(base, choice, bound),
            busy="Swapping activations…",
            done=lambda _: None,
            failed=self.message.say,
        )


def _missing(source: str) -> Published | None:
    from engine.models import missing_download

    return missing_download(source)
