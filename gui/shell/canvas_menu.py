"""CanvasMenu: the context menu of the canvas, for the picture and the sticker under the mouse."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, QPoint, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QImage
from PySide6.QtWidgets import QMenu

from gui.session.history import AttackRun
from gui.session.readiness import takes_start
from gui.session.start_image import start_image
from gui.theme import icon
from gui.widgets.literal import literal
from gui.widgets.pictures import ask_and_write, copy_picture, write_picture

if TYPE_CHECKING:
    from torch import Tensor

    from gui.canvas import ImageCanvas
    from gui.session.session import Session
    from gui.session.start_image import StartImage
    from gui.shell.actions import Actions

STICKER_ACTIONS = (
    *(
        "copy_sticker",
        "duplicate_sticker",
        "raise_sticker",
        "lower_sticker",
        "lock_sticker",
        "hide_sticker",
        "snap_sticker",
        "delete_sticker",
    ),
)


class CanvasMenu(QObject):
    """Builds the menu at each right click, from the canvas's pictures and the menus' actions."""

    def __init__(self, session: Session, canvas: ImageCanvas, actions: Actions) -> None:
        super().__init__(canvas)
        self._session, self._canvas, self._actions = session, canvas, actions
        canvas.menuAsked.connect(self.open)

    @Slot(object, int)
    def open(self, at: QPoint, place: int) -> None:
        """Open the menu of a picture at a place of the screen."""
        menu = QMenu(self._canvas)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        self._fill(menu, place)
        menu.popup(at)

    def _fill(self, menu: QMenu, place: int) -> None:
        picture = self._canvas.pictures[place]
        pixels = picture.pixels
        if self._session.selected is not None and not self._canvas.comparing:
            for id in STICKER_ACTIONS:
                menu.addAction(self._actions[id])
            menu.addSeparator()
        if pixels is not None:
            name, shown = literal(picture.name), self._canvas.displayed(place)
            image, stem = as_image(pixels), self._stem(picture.name)
            size = f"{image.width()} × {image.height()}"
            menu.addAction(icon("mdi6.content-copy"), "Copy as displayed", lambda: self._copy(shown, "as displayed"))
            menu.addAction(f"Copy {name} at its own size, {size}", lambda: self._copy(image, picture.name))
            if picture.name == "Adversarial":
                menu.addAction(self._actions["save_image"])
            else:
                menu.addAction(f"Save {name} as…", lambda: self._save(image, stem))
            menu.addAction("Open in another program", lambda: self._open_elsewhere(image, stem))
            menu.addSeparator()
            self._add_start(menu, place)
        if self._canvas.comparing:
            self._add_runs(menu, place)
        else:
            menu.addAction(self._actions["clear_perturbation"])
        menu.addSeparator()
        for id in ("fit", "actual_size", "pixel_grid"):
            menu.addAction(self._actions[id])

    # ------------------------------------------------------------------ pictures

    def _stem(self, name: str) -> str:
        """Return the name of a file for a picture: that of the photograph, and the picture's own."""
        photograph = Path(str(self._session.image.get("name", "image"))).stem
        return f"{photograph}-{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}"

    def _copy(self, image: QImage, what: str) -> None:
        copy_picture(image)
        self._session.notice.emit(f"The picture is on the clipboard: {what}, {image.width()} × {image.height()} pixels.")

    def _save(self, image: QImage, stem: str) -> None:
        path = ask_and_write(image, stem, "Save image", self._canvas.window())
        if path is not None:
            self._session.notice.emit(f"{path.name} was written.")

    def _open_elsewhere(self, image: QImage, stem: str) -> None:
        """Write the picture to a temporary file, which outlives the program it is opened in, and open that."""
        path = Path(tempfile.mkdtemp(prefix="gibbon-")) / f"{stem}.png"
        wrong = write_picture(image, path)
        if not wrong and not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))):
            wrong = f"No program opened {path}. Choose one for PNG images in the system's settings."
        if wrong:
            self._session.log("warning", wrong)

    # ------------------------------------------------------------------ start image and runs

    def _add_start(self, menu: QMenu, place: int) -> None:
        image, attack = self._tensor(place), self._session.plan.built[0]
        action = menu.addAction("Set as start image", lambda: self._set_start(place))
        fits = image is not None and self._session.classifier is not None and tuple(image.shape) == self._session.classifier.input_shape
        wanted = attack is not None and takes_start(type(attack))
        action.setEnabled(fits and wanted)
        action.setToolTip(
            "The next run begins at this image."
            if fits and wanted
            else f"{attack.title if attack is not None else 'The attack'} takes no start image."
            if fits
            else "The image has not the size of the model's images."
        )

    def _tensor(self, place: int) -> Tensor | None:
        """Return the image of a picture, with all its digits."""
        if self._canvas.comparing:
            run = self._run(place)
            return None if run is None else run.result.adversarial[0]
        frame = self._session.frame
        if frame is None:
            return None
        return frame.observation.clean_image if place == 0 else frame.observation.adversarial_image

    def _set_start(self, place: int) -> None:
        image, classifier = self._tensor(place), self._session.classifier
        if image is None or classifier is None:
            return
        name = self._canvas.pictures[place].name
        self._session.ask(
            "start image",
            lambda: start_image(image.detach().cpu(), classifier, f"{name} from the canvas"),
            lambda start: self._take_start(start, name),
            what="Setting the start image",
        )

    def _take_start(self, start: StartImage, name: str) -> None:
        self._session.change(f"Start image: {name}", start=start)

    def _run(self, place: int) -> AttackRun | None:
        number = self._canvas.pictures[place].run
        found = None if number is None else self._session.history.find(number)
        return found if isinstance(found, AttackRun) else None

    def _add_runs(self, menu: QMenu, place: int) -> None:
        run = self._run(place)
        if run is not None:
            menu.addAction(f"Show {literal(run.title)} on the canvas", lambda: self._show(run.number))
        menu.addAction("Leave comparison", lambda: self._canvas.comparisonLeft.emit())

    def _show(self, number: int) -> None:
        self._canvas.comparisonLeft.emit()
        self._session.show_entry(number)


def as_image(pixels: np.ndarray) -> QImage:
    """Return an image ``(H, W, 3)`` uint8 as a QImage of its own memory."""
    whole = np.ascontiguousarray(pixels)
    height, width = whole.shape[:2]
    return QImage(whole.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
