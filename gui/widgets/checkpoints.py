"""Choosing a file of weights, and the question which network they belong to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import shiboken6
from PySide6.QtWidgets import QFileDialog, QWidget

from gui.settings import Settings
from gui.widgets.checkpoint_dialog import CheckpointDialog

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

    def then(own: list[str] | None) -> None:
        if own is None:
            load(str(path))
        elif shiboken6.isValid(parent):
            _ask(session, path, own, parent, load)

    session.ask("architectures", lambda: architectures_to_ask(path), then, what="Looking at the checkpoint")


def _ask(session: Session, path: Path, own: list[str], parent: QWidget, load: Callable[..., Any]) -> None:
    """Open the dialog at once; the list of torchvision's networks, which takes seconds, and the guess by the tensors come to it later."""
    dialog = CheckpointDialog(path, own, parent)
    dialog.accepted.connect(lambda: load(str(path), **dialog.options))
    dialog.open()
    dialog.list_follows()

    def guessed(found: tuple[str, str] | None) -> None:
        if shiboken6.isValid(dialog):
            dialog.suggest(found)

    def failed(_sentence: str) -> None:
        guessed(None)  # loading says what is wrong with the file

    def listed(names: list[str]) -> None:
        if shiboken6.isValid(dialog):
            dialog.set_architectures(names)
            named = dialog.named
            session.ask(
                "guess", lambda: _guess(path, named), guessed, what="Comparing the tensors with networks", failed=failed, background=True
            )

    session.ask("all architectures", _architectures, listed, what="Listing architectures", background=True)


def _architectures() -> list[str]:
    from engine.models import architectures

    return architectures()


def _guess(path: Path, named: tuple[str, ...]) -> tuple[str, str] | None:
    from engine.models import guess_architecture

    return guess_architecture(path, named)


def architectures_to_ask(path: Path) -> list[str] | None:
    """Return this project's own architectures; None if a card beside the file names one. Called in the engine thread."""
    from engine import GibbonError
    from engine.models import architectures
    from engine.models.checkpoint import read_card

    try:
        if "architecture" in read_card(path.with_suffix(".json")):
            return None
    except GibbonError:
        pass
    return architectures(with_torchvision=False)
