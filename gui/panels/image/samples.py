"""Samples: the bundled samples that suit the model, as thumbnails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from gui.choosers.pictures import SIDE, sample_pictures
from gui.session.open_image import cropped, open_for
from gui.session.swap_model import label_of
from gui.widgets import Thumbnail, Thumbnails

if TYPE_CHECKING:
    from engine import Classifier
    from engine.images import Sample
    from gui.session.session import Session


def thumbnails_of(classifier: Classifier) -> list[Thumbnail]:
    """Return thumbnails of the samples that suit a classifier. Called in the engine thread."""
    return [
        Thumbnail(pixels, sample.title, f"{sample.title}, {width} × {height} pixels", sample)
        for sample, pixels, (width, height) in sample_pictures(classifier)
    ]


class Samples(QWidget):
    """The grid of samples, which is filled again for a model of another kind."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.grid = Thumbnails(SIDE, self)
        self.grid.setAccessibleName("Samples")
        self.grid.setMinimumHeight(240)
        self.grid.picked.connect(self._on_picked)
        self._empty = QLabel("There are no bundled images for this kind of model. Open one, or make noise.", self)
        self._empty.setWordWrap(True)
        self._empty.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.addWidget(self._empty)
        layout.addWidget(self.grid)

    @Slot()
    def refresh(self) -> None:
        """List the samples that suit the session's classifier."""
        classifier = self._session.classifier
        if classifier is not None:
            self._session.ask("samples", lambda: thumbnails_of(classifier), self._show, what="Listing the samples")

    def _show(self, thumbnails: list[Thumbnail]) -> None:
        self.grid.show_thumbnails(thumbnails)
        self._empty.setVisible(not thumbnails)
        self.grid.setVisible(bool(thumbnails))

    @Slot(object)
    def _on_picked(self, sample: Sample) -> None:
        open_for(self._session, lambda classifier: (cropped(sample.open(), classifier, sample.crop), label_of(sample, classifier)))
