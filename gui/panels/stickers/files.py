"""Stickers from and in files: the dialogs, and the requests to the engine's lane."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QWidget

from engine.text.formatting import counted
from gui.canvas import edits
from gui.canvas.tools import Board
from gui.settings import Settings
from gui.widgets.asked_file import ask_file

if TYPE_CHECKING:
    from engine.record import ReadStickers
    from gui.session.session import Session

_FOLDER = "stickers"
_READ = "Stickers and pictures (*.json *.png *.webp *.gif *.tif *.tiff *.jpg *.jpeg *.bmp);;All files (*)"
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
    """Put stickers on the image as one step, and select them."""
    state = session.state
    if state.clean is None:
        return
    height, width = state.clean.shape[1:]
    board = Board(state.stickers, state.selected, height, width, also=state.also_selected)
    draft = edits.add_copies(board, found.stickers, "Open", named=True)
    session.commit_stickers(draft.stickers, draft.text)
    session.select(draft.selected, draft.also)
    if found.note:
        session.notice.emit(found.note)


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
