"""The Model dock: the card of the present classifier, and the sources of others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QStackedLayout, QVBoxLayout, QWidget

from gui import theme
from gui.choosers.models import ModelList
from gui.panels.model.card import Card
from gui.panels.model.download import Download
from gui.panels.model.layers import LayerTree
from gui.panels.model.swap import moved_to, origin_of, with_activations
from gui.widgets import EmptyState, Message, Section, scrolling
from gui.widgets.checkpoints import choose_checkpoint, load_checkpoint
from gui.widgets.model_dialogs import CodeDialog, ask_download, ask_head

if TYPE_CHECKING:
    from engine.models.torchvision import Published
    from gui.session.session import Session


class ModelPanel(QWidget):
    """The dock, enabled when the engine is loaded. It asks what has to be asked before a model is loaded, for the spine's chooser, too."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
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
        self.sources = ModelList(self._session.models, self)
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
        self.download = Download(self._session.models.fetch, self)
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
        models = session.models
        models.said.connect(self.message.say)
        models.headAsked.connect(self._on_head_asked)
        models.downloadAsked.connect(self._on_download_asked)
        models.checkpointAsked.connect(self._on_checkpoint_asked)
        models.codeAsked.connect(self._on_code_asked)
        self.sources.activated.connect(models.choose)
        self.sources.highlighted.connect(self._on_highlighted)
        self.load_button.clicked.connect(self._on_load)
        self._file.clicked.connect(self._on_file)
        self._code.clicked.connect(self._on_code)
        self.card.device.activated.connect(self._on_device)
        self.swap.wanted.connect(self._on_swap)

    # ------------------------------------------------------------------ questions before a model is loaded

    def load(self, source: str, **options: Any) -> None:
        """Load a source in the engine thread; ``options`` are those of ``engine.models.load``."""
        self._session.models.load(source, **options)

    def load_checkpoint(self, path: Path) -> None:
        """Load weights from a file. If no card names their architecture, a dialog asks for it."""
        load_checkpoint(self._session, path, self, self.load)

    @Slot(str)
    def _on_checkpoint_asked(self, file: str) -> None:
        path = Path(file) if file else choose_checkpoint(self)
        if path is not None:
            self.load_checkpoint(path)

    @Slot(str)
    def _on_code_asked(self, source: str) -> None:
        dialog = CodeDialog(self, source)
        dialog.accepted.connect(lambda: self.load(dialog.source, allow_code=True, head=dialog.head.currentData()))
        dialog.open()

    @Slot(str, object)
    def _on_head_asked(self, source: str, options: dict[str, Any]) -> None:
        ask_head(self, lambda head: self.load(source, **{**options, "head": head}))

    @Slot(object)
    def _on_download_asked(self, about: Published) -> None:
        ask_download(self, about, lambda: self._session.models.download(about))

    # ------------------------------------------------------------------ from the session

    @Slot()
    def _on_ready(self) -> None:
        self._stack.setCurrentWidget(self._page)
        self._on_classifier()

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
    def _on_highlighted(self) -> None:
        entry, source = self.sources.entry, self.sources.source
        self.load_button.setEnabled(source is not None)
        fetch = entry is not None and not entry.available
        self.load_button.setText("Download and load…" if fetch else "Load")
        self.load_button.setToolTip(f"Load {self.sources.title}" if source else "Select a model above")

    @Slot()
    def _on_load(self) -> None:
        if self.sources.source is not None:
            self._session.models.choose(self.sources.source)

    @Slot()
    def _on_file(self) -> None:
        self._on_checkpoint_asked("")

    @Slot()
    def _on_code(self) -> None:
        self._on_code_asked("")

    @Slot(int)
    def _on_device(self, index: int) -> None:
        classifier, device = self._session.classifier, self.card.device.itemData(index)
        if classifier is not None and str(classifier.device) != device:
            self._session.models.swap(lambda: moved_to(classifier, device), f"Moving to {device}…")

    @Slot(str, float)
    def _on_swap(self, choice: str, bound: float) -> None:
        classifier = self._session.classifier
        if classifier is None:
            return
        base = origin_of(classifier).base
        self._session.models.swap(lambda: with_activations(base, choice, bound), "Swapping activations…")
