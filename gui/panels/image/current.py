"""Current: the image on the canvas, with its origin and its crop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from gui.canvas import CropView
from gui.choosers.pictures import levels_of
from gui.session.open_image import recrop
from gui.session.scene import to_pixels
from gui.widgets import ElidedLabel, Message

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from engine.images import Photograph
    from gui.session.session import Session

_CROP_HEIGHT = 176
_BESIDE = 96
"""The largest width of the model's image at which it is shown beside the photograph, not below."""


class Current(QWidget):
    """Shows the session's image, and sets the crop."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._name = ElidedLabel(parent=self, middle=True)
        font = self._name.font()
        font.setBold(True)
        self._name.setFont(font)
        self._size = ElidedLabel(parent=self)
        self.notes = Message(self)
        self.crop = CropView(self)
        self.crop.setFixedHeight(_CROP_HEIGHT)
        self.seen = QLabel(self)
        self.seen.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter)
        self.seen.setAccessibleName("What the model sees")
        self._caption = QLabel(self)
        self._caption.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._caption.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._drawn: tuple[Photograph, float] | None = None
        """The photograph and aspect that the crop view shows. Kept, since reducing a large photograph takes a while."""
        self._known = (0, 0)
        self._kept: Tensor | None = None
        self._lay_out()
        self.crop.cropChanged.connect(self._on_crop_changed)
        self.crop.cropCommitted.connect(self._on_crop_committed)

    def _lay_out(self) -> None:
        column = QVBoxLayout()
        column.setSpacing(2)
        column.addWidget(self.seen)
        column.addWidget(self._caption)
        column.addStretch(1)
        self._pictures = QHBoxLayout()
        self._pictures.setSpacing(8)
        self._pictures.addWidget(self.crop, 1)
        self._pictures.addLayout(column)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._name)
        layout.addWidget(self._size)
        layout.addWidget(self.notes)
        layout.addLayout(self._pictures)

    # ------------------------------------------------------------------ to the screen

    def show_image(self) -> None:
        """Show name, size and notes, the photograph with its crop, and the image that the model gets."""
        image, clean = self._session.image, self._session.clean
        known = (id(clean), id(self._session.photograph))
        if clean is None or known == self._known:
            return
        self._known, self._kept = known, clean  # kept, so that its id is not reused
        self._name.setText(str(image.get("name", "image")))
        self._name.set_tip(str(image.get("path") or image.get("source") or ""))
        self._size.setText(_size_of(image))
        notes = [str(note) for note in image.get("notes", ())]
        self.notes.say(f"{'; '.join(notes)}." if notes else "", "hint")
        self._show_seen(levels_of(clean))
        self._show_photograph(self._session.photograph)

    def _show_photograph(self, photograph: Photograph | None) -> None:
        image, classifier = self._session.image, self._session.classifier
        crop = image.get("crop")
        mine = photograph is not None and classifier is not None and crop is not None and photograph.sha256 == image.get("sha256")
        self.crop.setVisible(mine)
        if not mine:
            self._drawn = None
        if not mine or photograph is None or classifier is None or crop is None:
            return
        aspect = classifier.input_shape[2] / classifier.input_shape[1]
        if (photograph, aspect) == self._drawn:
            self.crop.set_crop(tuple(crop))
            return
        self._drawn = (photograph, aspect)
        pixels = photograph.pixels
        if photograph.grey:
            import numpy as np

            pixels = np.broadcast_to(pixels[:, :, None], (*pixels.shape, 3))  # a view without a copy, since the photograph may be large
        self.crop.set_photograph(pixels, aspect, tuple(crop))

    def _show_seen(self, pixels: np.ndarray) -> None:
        height, width = pixels.shape[:2]
        picture = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        self.seen.setPixmap(QPixmap.fromImage(picture))
        self.seen.setToolTip(f"What the model sees, at its own size: {width} × {height} pixels.")
        self._caption.setText(f"{width} × {height}")
        self._caption.setToolTip(self.seen.toolTip())
        beside = width <= _BESIDE
        self._pictures.setDirection(QHBoxLayout.Direction.LeftToRight if beside else QHBoxLayout.Direction.TopToBottom)

    # ------------------------------------------------------------------ from the user

    @Slot(tuple)
    def _on_crop_changed(self, crop: tuple[int, int, int, int]) -> None:
        """Show the image that the model would get, during a drag of the crop."""
        classifier, photograph = self._session.classifier, self._session.photograph
        if classifier is not None and photograph is not None:
            self._session.ask(
                "crop", lambda: to_pixels(photograph.crop_to(classifier, crop)), self._show_seen, what="Cropping the image", stream=True
            )

    @Slot(tuple)
    def _on_crop_committed(self, crop: tuple[int, int, int, int]) -> None:
        recrop(self._session, crop)


def _size_of(image: Mapping[str, Any]) -> str:
    size, crop = image.get("size"), image.get("crop")
    if not size:
        return ""
    whole = f"{size[0]:,} × {size[1]:,} pixels"
    if not crop or list(crop) == [0, 0, *size]:
        return whole
    return f"{whole}, of which {crop[2]:,} × {crop[3]:,} at {crop[0]:,}, {crop[1]:,}"
