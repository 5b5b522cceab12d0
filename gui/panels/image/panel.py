"""The Image dock: the image on the canvas, and the sources of others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QPushButton, QSpinBox, QStackedLayout, QTabWidget, QVBoxLayout, QWidget

from gui import theme
from gui.clipboard import local_files, pixels_of
from gui.panels.image.current import Current
from gui.panels.image.data_sets import DataSets
from gui.panels.image.samples import Samples
from gui.session import open_image
from gui.settings import Settings
from gui.widgets import EmptyState, Section, scrolling

if TYPE_CHECKING:
    from gui.session.session import Session


class ImagePanel(QWidget):
    """The dock, enabled when there is a classifier, since every image is opened in the classifier's shape."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._kind = ""
        self._stack = QStackedLayout(self)
        self._waiting = EmptyState("The engine is loading. In a moment images can be opened here.", "mdi6.timer-sand")
        self._stack.addWidget(self._waiting)
        page = QWidget(self)
        layout = QVBoxLayout(page)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(8)
        layout.addWidget(self._build_current())
        layout.addWidget(self._build_open())
        layout.addStretch(1)
        self._scrolled = scrolling(page)
        self._stack.addWidget(self._scrolled)
        self._connect()
        if session.ready:
            self._on_ready()

    # ------------------------------------------------------------------ building

    def _build_current(self) -> Section:
        section = Section("Current image", self)
        self._none = QLabel("No image is open. Open one below, drop a file on the window, or choose a sample.", self)
        self._none.setWordWrap(True)
        self.current = Current(self._session, self)
        self.current.hide()
        section.add(self._none)
        section.add(self.current)
        return section

    def _build_open(self) -> Section:
        section = Section("Open another", self)
        self.open_button = theme.primary(QPushButton("Open…", self), "mdi6.folder-open-outline")
        self.open_button.setToolTip("Open an image file")
        self.paste_button = QPushButton(theme.icon("mdi6.content-paste"), "Paste", self)
        self.paste_button.setToolTip("Open the image on the clipboard")
        self.noise_button = QPushButton("Noise", self)
        self.noise_button.setToolTip("Make an image of uniformly random pixels, at the model's own size")
        self.seed = QSpinBox(self)
        self.seed.setRange(0, 2**31 - 1)
        self.seed.setMinimumWidth(56)
        self.seed.setPrefix("seed ")
        self.seed.setAccessibleName("Seed of the noise")
        self.seed.setToolTip("The same seed gives the same noise")
        first, second = QHBoxLayout(), QHBoxLayout()
        for row, widgets in ((first, (self.open_button, self.paste_button)), (second, (self.noise_button, self.seed))):
            row.setSpacing(8)
            for widget in widgets:
                row.addWidget(widget, 1)
        self.samples = Samples(self._session, self)
        self.data_sets = DataSets(self._session, self)
        tabs = self._tabs = QTabWidget(self)
        tabs.setDocumentMode(True)
        tabs.addTab(self.samples, "Samples")
        tabs.addTab(self.data_sets, "Data sets")
        section.layout_.addLayout(first)
        section.layout_.addLayout(second)
        section.add(tabs)
        return section

    def _connect(self) -> None:
        session = self._session
        session.engineReady.connect(self._on_ready)
        session.classifierChanged.connect(self._on_classifier)
        for signal in (session.imageChanged, session.photographChanged):
            signal.connect(self._on_image)
        self.open_button.clicked.connect(self._on_open)
        self.paste_button.clicked.connect(self.paste)
        self.noise_button.clicked.connect(self.make_noise)

    # ------------------------------------------------------------------ from the session

    @Slot()
    def _on_ready(self) -> None:
        self._session.data_sources.find()
        self._waiting.set_text("Load a model first: the Model dock lists what there is. Images are opened at its size.")
        self._on_classifier()

    @Slot()
    def _on_classifier(self) -> None:
        from gui.session.swap_model import sample_kind

        classifier = self._session.classifier
        if classifier is None:
            return
        self._stack.setCurrentWidget(self._scrolled)
        if sample_kind(classifier) != self._kind:
            self._kind = sample_kind(classifier)
            self.samples.refresh()
            self.data_sets.chooser.suggest(self._kind)
        self._on_image()

    @Slot()
    def _on_image(self) -> None:
        there = self._session.clean is not None
        self.current.setVisible(there)
        self._none.setVisible(not there)
        self.current.show_image()

    # ------------------------------------------------------------------ from the user

    @Slot()
    def _on_open(self) -> None:
        settings = Settings()
        path, _ = QFileDialog.getOpenFileName(self, "Open image", str(settings.folder("images")), open_image.file_filter())
        if path:
            settings.keep_folder("images", Path(path).parent)
            open_image.open_path(self._session, path)

    def show_data_set(self, name: str) -> None:
        """Show the images of a data set of the list."""
        self._tabs.setCurrentWidget(self.data_sets)
        self.data_sets.chooser.choose(name)
        self.data_sets.load()

    @Slot()
    def paste(self) -> None:
        """Open the clipboard's image: a file, or pixels."""
        mime = QGuiApplication.clipboard().mimeData()
        files, pixels = local_files(mime), pixels_of(mime)
        if files:
            open_image.open_path(self._session, files[0])
        elif pixels is not None:
            open_image.open_array(self._session, pixels, "pasted image")
        else:
            self._session.notice.emit("There is no image on the clipboard. Copy one, then paste again.")

    @Slot()
    def make_noise(self) -> None:
        """Open an image of uniformly random pixels, in the model's shape."""
        classifier = self._session.classifier
        if classifier is None:
            return
        import numpy as np

        channels, height, width = classifier.input_shape
        seed = self.seed.value()
        shape = (height, width) if channels == 1 else (height, width, 3)
        pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
        open_image.open_array(self._session, pixels, f"noise, seed {seed}")
