"""DataSets: the browser of data sets, with pages of thumbnails of all classes or one. A click opens the image with its true label."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from gui import theme
from gui.session.open_image import Opened, cropped, open_for
from gui.widgets import DataChooser, LabelCombo, Message, Thumbnail, Thumbnails

if TYPE_CHECKING:
    from engine import Classifier
    from engine.data import DataSet
    from gui.session.session import Session

PAGE = 48


def open_sample(data: DataSet, index: int, classifier: Classifier) -> tuple[Opened, int | None]:
    """Open an image of a data set, with its class under the classifier's labels. Called in the engine thread."""
    from engine.images import from_array

    photograph = from_array(data.thumbnail(index), f"{data.name}, image {index + 1:,} of {len(data):,}")
    opened = cropped(photograph, classifier)
    opened = replace(opened, info={**opened.info, "source": data.source})
    return opened, data.numbers_in(classifier.labels)[int(data.targets[index])]


class DataSets(QWidget):
    """The browser of data sets: those on the disk, those that the engine draws, and folders of images."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._data: DataSet | None = None
        self._shown: list[int] = []
        self._page = 0
        self.chooser = DataChooser(session.data_sources, self)
        self.load_button = QPushButton("Show", self)
        self.load_button.setToolTip("Load these images and show them below")
        self.classes = LabelCombo("all classes", self, name="Class", tip="Show the images of one class only.")
        self.message = Message(self)
        self.grid = Thumbnails(64, self)
        self.grid.setAccessibleName("Images of the data set")
        self.grid.setMinimumHeight(240)
        self.position = QLabel(self)
        self.position.setFont(theme.number_font(self.font()))
        self.back, self.forth = (
            self._arrow(*words) for words in (("mdi6.chevron-left", "Previous page"), ("mdi6.chevron-right", "Next page"))
        )
        self._lay_out()
        self.load_button.clicked.connect(self.load)
        self.classes.chosen.connect(self._on_class)
        self.grid.picked.connect(self._on_picked)
        self.back.clicked.connect(lambda: self._turn(-1))
        self.forth.clicked.connect(lambda: self._turn(1))
        self._browser.hide()

    def _arrow(self, icon: str, tip: str) -> QToolButton:
        button = QToolButton(self)
        button.setIcon(theme.icon(icon))
        button.setAutoRaise(True)
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        return button

    def _lay_out(self) -> None:
        self.chooser.beside(self.load_button)
        pages = QHBoxLayout()
        pages.addWidget(self.classes, 1)
        pages.addWidget(self.back)
        pages.addWidget(self.position)
        pages.addWidget(self.forth)
        self._browser = QWidget(self)
        inner = QVBoxLayout(self._browser)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(4)
        inner.addLayout(pages)
        inner.addWidget(self.grid)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.chooser)
        layout.addWidget(self.message)
        layout.addWidget(self._browser)
        layout.addStretch(1)

    # ------------------------------------------------------------------ loading

    @Slot()
    def load(self) -> None:
        """Load the chosen data set in the background lane, so that an image opened meanwhile is predicted at once."""
        choice, sources = self.chooser.choice, self._session.data_sources
        if choice is None:
            return

        self.message.say("")
        self._session.ask(
            "data",
            lambda: sources.load(choice),
            self._show_data,
            what="Opening the data set",
            failed=self.message.say,
            busy=f"Loading {self.chooser.title}…",
            background=True,
        )

    def _show_data(self, data: DataSet) -> None:
        self._data = data
        chosen = data.source[:1].upper() + data.source[1:]
        self.message.say(" ".join([f"{chosen.rstrip('.')}.", *data.notes]), "hint")  # which of its images these are
        self.classes.set_labels(data.labels)
        self._on_class(None)
        self._browser.show()

    @Slot(object)
    def _on_class(self, label: int | None) -> None:
        if self._data is not None:
            targets = self._data.targets.tolist()
            self._shown = [index for index, target in enumerate(targets) if label is None or target == label]
            self._page = 0
            self._show_page()

    def _turn(self, by: int) -> None:
        self._page = min(max(0, self._page + by), max(0, (len(self._shown) - 1) // PAGE))
        self._show_page()

    def _show_page(self) -> None:
        data = self._data
        if data is None:
            return
        first = self._page * PAGE
        page = self._shown[first : first + PAGE]
        names = [data.labels[int(data.targets[index])] for index in page]
        tips = [f"{name}: image {index + 1:,} of {len(data):,}, {data.source}" for index, name in zip(page, names, strict=True)]
        self.grid.show_thumbnails([Thumbnail(data.thumbnail(i), name, tip, i) for i, name, tip in zip(page, names, tips, strict=True)])
        self.position.setText(f"{first + 1:,}–{first + len(page):,} of {len(self._shown):,}" if page else "none")
        self.back.setEnabled(first > 0)
        self.forth.setEnabled(first + PAGE < len(self._shown))

    @Slot(object)
    def _on_picked(self, index: int) -> None:
        data = self._data
        if data is not None:
            open_for(self._session, lambda classifier: open_sample(data, index, classifier))
