"""Opening an image: read in the engine thread, cropped to the classifier, put on the canvas. Menus, drops and the Image dock share it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from engine import Classifier
    from engine.images import Photograph
    from gui.session.session import Session

Crop = tuple[int, int, int, int]
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".ppm", ".tif", ".tiff", ".webp")
FILTER = f"Images ({' '.join('*' + suffix for suffix in SUFFIXES)});;All files (*)"


@dataclass(frozen=True, eq=False)
class Opened:
    """A photograph and what the classifier sees of it."""

    photograph: Photograph
    clean: Tensor
    """``(C, H, W)``."""
    info: dict[str, Any]
    """For ``Session.image``: name, path, sha256, size, crop, notes."""


def cropped(photograph: Photograph, classifier: Classifier, crop: Crop | None = None) -> Opened:
    """Crop a photograph; None: the largest centred rectangle of the classifier's aspect. Called in the engine thread."""
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


def open_path(session: Session, path: Path | str, label: int | None = None) -> None:
    """Open an image file. What is amiss is said in the Log, and the image shown stays."""
    from engine.images import open_image

    _open(session, lambda: open_image(path), label, f"Opening {Path(path).name}…")


def open_photograph(session: Session, photograph: Photograph, label: int | None = None) -> None:
    """Put an opened photograph on the canvas."""
    _open(session, lambda: photograph, label, "")


def open_array(session: Session, array: np.ndarray, name: str) -> None:
    """Open pixels from memory: pasted, or made."""
    from engine.images import from_array

    _open(session, lambda: from_array(array, name), None, "")


def recrop(session: Session, crop: Crop | None = None) -> None:
    """Show another rectangle of the same photograph; the label stays, stickers too. None: the default one."""
    classifier, photograph = session.classifier, session.photograph
    if classifier is None or photograph is None:
        return

    def then(opened: Opened) -> None:
        if session.classifier is classifier and session.photograph is photograph:
            session.set_image(opened.clean, opened.info, session.label, keep_stickers=True)

    session.ask("open", lambda: cropped(photograph, classifier, crop), then)


def _open(session: Session, make: Callable[[], Photograph], label: int | None, busy: str) -> None:
    classifier = session.classifier
    if classifier is None:
        session.notice.emit("The engine is still loading: open the image again in a moment.")
        return

    def then(opened: Opened) -> None:
        if session.classifier is classifier:
            show(session, opened, label)
        else:  # the model was swapped meanwhile
            open_photograph(session, opened.photograph, label)

    session.ask("open", lambda: cropped(make(), classifier), then, busy=busy)


def show(session: Session, opened: Opened, label: int | None) -> None:
    """Put what was opened on the canvas."""
    session.photograph = opened.photograph
    session.set_image(opened.clean, opened.info, label)
    session.photographChanged.emit()
    if opened.photograph.notes:
        session.log("info", f"{opened.photograph.name}: {', '.join(opened.photograph.notes)}.")
