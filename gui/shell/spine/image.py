"""ImageChip: the image's name and thumbnail; its popup opens another one, and files can be dropped on it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QWidget

from gui.shell.actions.file import open_image, open_path, paste_image
from gui.shell.actions.shell import Shell
from gui.shell.spine.chip import Chip
from gui.shell.spine.content import Content, Way
from gui.shell.spine.line import Line

_SIDE = 30


class ImageChip(Chip):
    """Shows which image is open."""

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__("Image", "Open another image; files can be dropped here", "Ctrl+I", parent)
        self._shell, self._session = shell, shell.session
        self.opening.connect(self._fill)
        for signal in (self._session.engineReady, self._session.classifierChanged, self._session.imageChanged):
            signal.connect(self._show)
        self._show()

    @Slot()
    def _show(self) -> None:
        session = self._session
        clean, image = session.clean, session.image
        self.setEnabled(session.classifier is not None)
        if clean is None:
            self.show_picture(QPixmap())
            self.show_lines(Line("No image" if session.ready else "Image"), Line("", ("open one", "")) if session.ready else Line())
            return
        from gui.choosers.pictures import levels_of
        from gui.widgets.thumbnails import pixmap_of

        self.show_picture(pixmap_of(levels_of(clean), _SIDE))
        height, width = clean.shape[1:]
        crop, size = image.get("crop"), image.get("size")
        cropped = crop is not None and size is not None and list(crop) != [0, 0, *size]
        seen = f"{width} × {height}"
        path = str(image.get("path") or image.get("source") or "")
        self.show_lines(Line(str(image.get("name", "image"))), Line("", (f"{seen}, cropped" if cropped else seen, seen)), tip=path)

    # ------------------------------------------------------------------ the popup

    @Slot()
    def _fill(self) -> None:
        if self.popup is None:
            from gui.choosers.images import ImageList

            self.list = ImageList(self._session)
            shell = self._shell
            ways = (
                Way("Open…", "Open an image file (Ctrl+O)", "mdi6.folder-open-outline", lambda: open_image(shell)),
                Way("Paste", "Open the picture on the clipboard (Ctrl+V)", "mdi6.content-paste", lambda: paste_image(shell)),
                Way("Data sets…", "Browse a data set in the Image dock", "mdi6.image-multiple-outline", self._to_data_sets),
                Way("Crop…", "Choose the part of the photograph that the model sees, in the Image dock", "mdi6.crop", self._to_crop),
            )
            popup = self.set_popup(Content(self.list, ways, self._close))
            self.list.picked.connect(popup.hide)
            self.list.filled.connect(popup.fit)
            self.list.fileWanted.connect(self._on_file)
        self.list.refresh()
        self.list.start()

    def _close(self) -> None:
        if self.popup is not None:
            self.popup.hide()

    @Slot(str)
    def _on_file(self, path: str) -> None:
        open_path(self._shell, Path(path))

    def _to_data_sets(self) -> None:
        self._shell.bring_up("image", "Data set")

    def _to_crop(self) -> None:
        self._shell.bring_up("image", "Crop")
