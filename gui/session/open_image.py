"""Opening an image: read in the engine thread, cropped to the classifier, put on the canvas. Menus, drops and the Image dock share it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from engine import Classifier
    from engine.images import Photograph
    from gui.session.host import Host

Crop = tuple[int, int, int, int]
_numbers = count(1)
"""Numbers the requests to open an image."""


@dataclass(frozen=True, eq=False)
class Opened:
    """A photograph and the image that is cropped from it for the classifier."""

    photograph: Photograph
    clean: Tensor
    """``(C, H, W)``."""
    info: dict[str, Any]
    """For ``Session.image``: name, path, sha256, size, crop, notes."""


def file_filter() -> str:
    """Return the filter of file dialogs: every image that is decoded, or all files."""
    from engine.files import IMAGE_SUFFIXES

    return f"Images ({' '.join('*' + suffix for suffix in sorted(IMAGE_SUFFIXES))});;All files (*)"


def cropped(photograph: Photograph, classifier: Classifier, crop: Crop | None = None) -> Opened:
    """Crop a photograph to ``crop``, or to the largest centred rectangle of the classifier's aspect. Called in the engine thread."""
    rectangle = tuple(crop) if crop is not None else tuple(photograph.default_crop(classifier))
    info = {
        "name": photograph.name,
        "path": None if photograph.path is None else str(photograph.path),
        "sha256": photograph.sha256,
        "size": list(photograph.size),
        "crop": list(rectangle),
        "notes": list(photograph.notes),
    }
    return Opened(photograph, photograph.crop_to(classifier, rectangle), info)  # type: ignore[arg-type]


def open_path(session: Host, path: Path | str, label: int | None = None) -> None:
    """Open an image file. If that fails, the error goes to the messages and the canvas stays as it is."""
    from engine.images import open_image

    _open(session, lambda: open_image(path), label, f"Opening {Path(path).name}…")


def open_array(session: Host, array: np.ndarray, name: str) -> None:
    """Open pixels from memory, such as pasted or generated ones."""
    from engine.images import from_array

    _open(session, lambda: from_array(array, name), None, "")


def _open(session: Host, make: Callable[[], Photograph], label: int | None, busy: str) -> None:
    labels, photograph = None if session.classifier is None else session.classifier.labels, cache(make)

    def opened(classifier: Classifier) -> tuple[Opened, int | None]:
        return cropped(photograph(), classifier), label if classifier.labels == labels else None

    open_for(session, opened, busy=busy)


def open_for(session: Host, make: Callable[[Classifier], tuple[Opened, int | None]], *, busy: str = "", number: int | None = None) -> None:
    """Put the result of ``make(classifier)`` on the canvas: an image and its true label under that classifier's labels.

    All requests are carried out, in their order. If the classifier was swapped meanwhile, the image is made again for the new one under
    the same ``number``, so that it does not replace the image of a later request that is shown already.
    """
    classifier = session.classifier
    if classifier is None:
        session.notice.emit("The engine is still loading: open the image again in a moment.")
        return
    place = next(_numbers) if number is None else number

    def then(came: tuple[Opened, int | None]) -> None:
        if place < session.opened:
            return
        if session.classifier is classifier:
            session.change(opened=place)
            show_opened(session, *came)
        else:
            open_for(session, make, busy=busy, number=place)

    session.ask("open", lambda: make(classifier), then, what="Opening the image", busy=busy, keep=True)


def recrop(session: Host, crop: Crop | None = None) -> None:
    """Show another rectangle of the photograph, or the default one for None; the label and the stickers stay."""
    classifier, photograph = session.classifier, session.photograph
    if classifier is None or photograph is None:
        return

    def then(opened: Opened) -> None:
        if session.classifier is classifier and session.photograph is photograph:
            session.set_crop(opened.clean, opened.info)

    session.ask("open", lambda: cropped(photograph, classifier, crop), then, what="Cropping the image", keep=True)


def show_opened(session: Host, opened: Opened, label: int | None) -> None:
    """Put an opened image on the canvas, and its notes in the messages."""
    session.set_image(opened.clean, opened.info, label, opened.photograph)
    if opened.photograph.notes:
        session.log("info", f"{opened.photograph.name}: {', '.join(opened.photograph.notes)}.")
