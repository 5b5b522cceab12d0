"""Stickers from and in files: the dialogs, and the requests to the engine's lane."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from engine.text.formatting import counted
from gui.canvas import edits
from gui.canvas.tools import Board
from gui.settings import Settings
from gui.widgets.asked_file import ask_file
from gui.widgets.literal import literal

if TYPE_CHECKING:
    from engine.record import ReadStickers
    from engine.stickers import Sticker
    from engine.stickers.ready import ReadyPatch
    from gui.session.session import Session

_FOLDER = "stickers"
_READ = "Stickers and pictures (*.json *.png *.webp *.gif *.tif *.tiff *.jpg *.jpeg *.bmp);;All files (*)"
_PATCHES = "Patches (*.pt *.pth *.npy *.gz *.png *.jpg *.jpeg *.webp *.bmp);;All files (*)"
_MOST_LISTED = 40
_WRITTEN = "Picture with the stickers inside (*.png);;Text (*.json)"


def open_stickers(session: Session, parent: QWidget, *, mask: bool = False) -> None:
    """Ask for a file, and add its stickers, or a sticker made of its picture: with its colours, or as a ``mask`` for a new content."""
    settings, title = Settings(), "Open picture as a mask" if mask else "Open sticker or picture"
    if session.clean is None:
        return
    chosen, _filter = QFileDialog.getOpenFileName(parent, title, str(settings.folder(_FOLDER)), _READ)
    if not chosen:
        return
    path, content = Path(chosen), session.content_for_new() if mask else None
    height, width = session.clean.shape[1:]
    settings.keep_folder(_FOLDER, path.parent)

    def read() -> ReadStickers:
        from engine.record import read_stickers

        return read_stickers(path, height, width, mask=content)

    session.ask("stickers.open", read, lambda found: _add(session, found), what=f"Reading {path.name}", keep=True)


def _add(session: Session, found: ReadStickers) -> None:
    """Put stickers on the image as one step, select them, and say the note."""
    _put(session, found.stickers)
    if found.note:
        session.notice.emit(found.note)


def _put(session: Session, stickers: tuple[Sticker, ...]) -> None:
    state = session.state
    if state.clean is None:
        return
    height, width = state.clean.shape[1:]
    board = Board(state.stickers, state.selected, height, width, also=state.also_selected)
    draft = edits.add_copies(board, stickers, "Open", named=True)
    session.commit_stickers(draft.stickers, draft.text)
    session.select(draft.selected, draft.also)


def open_ready_patch(session: Session, parent: QWidget) -> None:
    """Ask for a file of ready patches, and add its patch as a sticker."""
    settings = Settings()
    chosen, _filter = QFileDialog.getOpenFileName(parent, "Add ready patch", str(settings.folder(_FOLDER)), _PATCHES)
    if chosen:
        settings.keep_folder(_FOLDER, Path(chosen).parent)
        add_ready_patch(session, Path(chosen), parent)


def add_ready_patch(session: Session, path: Path, parent: QWidget) -> None:
    """Read a file of ready patches, and add the patch as a sticker in the middle of the image; of several one is asked for."""
    if session.clean is None:
        session.notice.emit("Open an image first: the patch becomes a sticker on it.")
        return

    def then(found: tuple[ReadyPatch, ...]) -> None:
        if len(found) == 1:
            _add_patch(session, found[0])
            return
        menu = QMenu(parent)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setAccessibleName("Which patch of the file")
        for patch in found[:_MOST_LISTED]:
            menu.addAction(literal(_patch_title(session, patch)), partial(_add_patch, session, patch))
        menu.popup(QCursor.pos())

    def read() -> tuple[ReadyPatch, ...]:
        from engine.stickers.ready import load_patches

        return load_patches(path)

    session.ask("stickers.patch", read, then, what=f"Reading {path.name}", keep=True)


def _patch_title(session: Session, patch: ReadyPatch) -> str:
    """Return a patch's name with the class that it was made for, where the model has a class of that number."""
    labels = () if session.classifier is None else session.classifier.labels
    if patch.target is None:
        return patch.name
    return f"{patch.name}, for {labels[patch.target] if patch.target < len(labels) else f'class {patch.target}'}"


def _add_patch(session: Session, patch: ReadyPatch) -> None:
    if session.clean is None:
        return
    height, width = session.clean.shape[1:]
    own = max(patch.image.shape[1:])
    sticker = patch.sticker(1, height, width, side=None if own <= min(height, width) else min(height, width) // 2)
    _put(session, (sticker,))


def save_stickers(session: Session, parent: QWidget) -> None:
    """Ask for a file, and write the selected stickers to it."""
    state, settings = session.state, Settings()
    chosen = [each for each in state.stickers if each.id == state.selected or each.id in state.also_selected]
    if not chosen:
        return
    stem = "".join(letter if letter.isalnum() or letter in "-_ " else "-" for letter in chosen[0].title).strip() or "sticker"
    path = ask_file(parent, "Save stickers", settings.folder(_FOLDER) / f"{stem}.png", _WRITTEN, ".json")
    if path is None:
        return
    settings.keep_folder(_FOLDER, path.parent)

    def write() -> Path:
        from engine.record import write_stickers

        return write_stickers(chosen, path)

    def tell(written: Path) -> None:
        session.notice.emit(f"{counted(len(chosen), 'sticker')} in {written.name}. Open it with “Open sticker or picture…”.")

    session.ask("stickers.save", write, tell, what=f"Writing {path.name}", keep=True)
