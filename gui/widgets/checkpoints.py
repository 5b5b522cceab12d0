"""Choosing a file of weights, and the question which network they belong to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import shiboken6
from PySide6.QtWidgets import QFileDialog, QWidget

from gui.settings import Settings
from gui.widgets.question import CheckpointDialog

if TYPE_CHECKING:
    from gui.session.session import Session

CHECKPOINTS = "Checkpoints (*.safetensors *.pt *.pth *.bin *.ckpt);;All files (*)"


def choose_checkpoint(parent: QWidget) -> Path | None:
    """Ask for a file of weights; None: the dialog was closed."""
    settings = Settings()
    path, _ = QFileDialog.getOpenFileName(parent, "Open checkpoint", str(settings.folder("models")), CHECKPOINTS)
    if path:
        settings.keep_folder("models", Path(path).parent)
    return Path(path) if path else None


def load_checkpoint(session: Session, path: Path, parent: QWidget, load: Callable[..., Any]) -> None:
    """Call ``load(source, **options)`` for a file of weights. A dialog asks for the network unless a card beside the file names it."""

    def then(names: list[str] | None) -> None:
        if names is None:
            load(str(path))
        elif shiboken6.isValid(parent):
            dialog = CheckpointDialog(path, names, parent)
            dialog.accepted.connect(lambda: load(str(path), **dialog.options))
            dialog.open()

    what = "Listing architectures"
    session.ask("architectures", lambda: architectures_to_ask(path), then, what=what, busy=f"{what}…")


def architectures_to_ask(path: Path) -> list[str] | None:
    """Return the architectures to choose from; None if a card beside the file names one. Called in the engine thread."""
    from engine import GibbonError
    from engine.models import architectures
    from engine.models.checkpoint import read_card

    try:
        if "architecture" in read_card(path.with_suffix(".json")):
            return None
    except GibbonError:
        pass
    return architectures()
