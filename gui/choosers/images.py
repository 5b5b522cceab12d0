"""ImageList: the images that can be opened by a click, with thumbnails: recent files and the samples that suit the model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QWidget

from gui.choosers.pictures import file_pictures, sample_pictures
from gui.session.open_image import cropped, open_for
from gui.session.swap_model import label_of
from gui.settings import Settings
from gui.widgets.pick_list import PickList
from gui.widgets.picks import Pick, PickGroup
from gui.widgets.thumbnails import pixmap_of

if TYPE_CHECKING:
    import numpy as np

    from engine import Classifier
    from engine.images import Sample
    from gui.session.session import Session

_SIDE = 36
_LISTING = "Listing the samples…"
_NOTHING = "No recent image or sample is called so."


class ImageList(PickList):
    """Recent images and samples. A click or Enter opens one."""

    fileWanted = Signal(str)
    """A recent file was picked: its path."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__("images", 2, parent, tip="Narrow the list by name or folder. Enter opens what is highlighted.")
        self._session = session
        self._classifier: Classifier | None = None
        """The classifier that the listed samples suit."""
        self._samples: list[tuple[Sample, np.ndarray, tuple[int, int]]] = []
        self._pictures: dict[Path, np.ndarray] = {}
        self.nothing.setText(_LISTING)
        self.set_icon_size(_SIDE)
        self.picked.connect(self._on_picked)

    def refresh(self) -> None:
        """List recent files and samples as they are now; thumbnails follow."""
        session, classifier = self._session, self._session.classifier
        self._fill()
        paths = Settings().recent_images
        session.ask("recent pictures", lambda: file_pictures(paths), self._on_pictures, what="Reading the recent images", background=True)
        if classifier is not None and classifier is not self._classifier:
            self.nothing.setText(_LISTING)

            def then(samples: list[tuple[Sample, np.ndarray, tuple[int, int]]]) -> None:
                self._classifier, self._samples = classifier, samples
                self.nothing.setText(_NOTHING)
                self._fill()

            session.ask("sample pictures", lambda: sample_pictures(classifier), then, what="Listing the samples", background=True)

    def _on_pictures(self, pictures: dict[Path, np.ndarray]) -> None:
        self._pictures = pictures
        self._fill()

    def _fill(self) -> None:
        recent = [self._recent(path) for path in Settings().recent_images]
        samples = [_sample(*each) for each in self._samples]
        self.set_groups([PickGroup("Recent", recent), PickGroup("Samples", samples)])

    def _recent(self, path: Path) -> Pick:
        pixels = self._pictures.get(path)
        return Pick(path, (path.name, _shortened(path.parent)), str(path), (path.name, str(path.parent)), _icon(pixels))

    @Slot(object)
    def _on_picked(self, value: Any) -> None:
        if isinstance(value, Path):
            self.fileWanted.emit(str(value))
            return
        sample: Sample = value
        open_for(self._session, lambda classifier: (cropped(sample.open(), classifier, sample.crop), label_of(sample, classifier)))


def _sample(sample: Sample, pixels: np.ndarray, size: tuple[int, int]) -> Pick:
    tip = f"{sample.title}, {size[0]} × {size[1]} pixels"
    return Pick(sample, (sample.title, f"{size[0]} × {size[1]}"), tip, (sample.title,), _icon(pixels))


def _icon(pixels: np.ndarray | None) -> QIcon:
    """Return an icon of a fixed size, so that all names begin at one place."""
    canvas = QPixmap(_SIDE, _SIDE)
    canvas.fill(Qt.GlobalColor.transparent)
    if pixels is not None:
        picture = pixmap_of(pixels, _SIDE)
        with QPainter(canvas) as painter:
            painter.drawPixmap((_SIDE - picture.width()) // 2, (_SIDE - picture.height()) // 2, picture)
    return QIcon(canvas)


def _shortened(folder: Path) -> str:
    """Return a folder's last two names, such as ``…/photographs/signs``."""
    parts = folder.parts
    return str(folder) if len(parts) <= 3 else f"…/{'/'.join(parts[-2:])}"
