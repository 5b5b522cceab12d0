"""StickersPresenter: connects the views of the Stickers dock, which know no session, with the session."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from gui.canvas import edits
from gui.canvas.aligning import Edge, align
from gui.canvas.tools import Board
from gui.panels.stickers.files import open_stickers, save_stickers
from gui.panels.stickers.picture import read_picture

if TYPE_CHECKING:
    from engine.stickers import Content
    from gui.canvas.tools import Draft
    from gui.panels.stickers.view import StickersView
    from gui.session.session import Session
    from gui.session.state import NewContent


class StickersPresenter(QObject):
    """Turns the views' signals into edits of stickers, by the functions that the canvas uses, too, with the same undo steps."""

    def __init__(self, session: Session, view: StickersView) -> None:
        super().__init__(view)
        self._session, self._view = session, view
        view.list.chosen.connect(session.select)
        view.list.deleteAsked.connect(self.delete)
        view.list.renamed.connect(self._on_renamed)
        view.list.switched.connect(self._on_switched)
        view.raised.connect(self.restack)
        view.duplicated.connect(self.duplicate)
        view.deleted.connect(self.delete)
        view.snapped.connect(self._on_snapped)
        view.aligned.connect(self._on_aligned)
        view.fileAsked.connect(self._on_file)
        view.editor.edited.connect(self._on_edited)
        view.editor.contentChosen.connect(self._on_content)
        view.editor.pictureChosen.connect(self._on_picture)
        view.new.contentChosen.connect(self._on_new_content)
        view.new.colourChosen.connect(self._on_new_colour)
        view.shown.connect(self.refresh)
        for signal in (session.stickersChanged, session.selectionChanged, session.imageChanged, session.newStickerChanged):
            signal.connect(self.refresh)

    @property
    def _board(self) -> Board:
        """Return the board for edits; without an image it has no stickers, so that none can be edited."""
        state = self._session.state
        if state.clean is None:
            return Board((), None, 1, 1)
        height, width = state.clean.shape[1:]
        return Board(state.stickers, state.selected, height, width, also=state.also_selected)

    @Slot()
    def refresh(self) -> None:
        """Show the session's stickers, if the dock is visible."""
        if self._view.isVisible():
            board, state = self._board, self._session.state
            self._view.show_stickers(state.stickers, state.selected, state.also_selected, board.chosen, open=state.clean is not None)
            self._view.editor.show_sticker(edits.selected_sticker(board), state.new_colour, len(board.chosen) > 1)
            self._view.new.show_choice(state.new_content, state.new_colour)

    # ------------------------------------------------------------------ edits

    def _apply(self, draft: Draft | None, key: Hashable | None = None) -> None:
        if draft is not None:
            self._session.commit_stickers(draft.stickers, draft.text, key=key)
            self._session.select(draft.selected, draft.also)
            if draft.notice:
                self._session.notice.emit(draft.notice)

    @Slot(int, str)
    def _on_renamed(self, id: int, name: str) -> None:
        self._apply(edits.rename(self._board, id, name))

    @Slot(int, str)
    def _on_switched(self, id: int, what: edits.Switch) -> None:
        self._apply(edits.switch(self._board, [id], what))

    @Slot()
    def _on_snapped(self) -> None:
        self._apply(edits.snap(self._board))

    @Slot(str, bool)
    def _on_aligned(self, edge: Edge, on_image: bool) -> None:
        self._apply(align(self._board, edge, on_image=on_image))

    @Slot(str)
    def _on_file(self, what: str) -> None:
        if what == "save":
            save_stickers(self._session, self._view.window())
        else:
            open_stickers(self._session, self._view.window(), mask=what == "mask")

    @Slot()
    def delete(self) -> None:
        """Remove the selected stickers."""
        self._apply(edits.delete(self._board))

    @Slot()
    def duplicate(self) -> None:
        """Add a copy of the selected sticker on top, and select it."""
        self._apply(edits.duplicate(self._board))

    @Slot(int)
    def restack(self, by: int) -> None:
        """Move the selected sticker up (1) or down (-1) in z-order."""
        self._apply(edits.restack(self._board, by))

    @Slot(str, float)
    def _on_edited(self, name: str, value: float) -> None:
        key = ("sticker", self._session.selected, name)  # changes of one number are one undo step
        self._apply(edits.set_number(self._board, name, value), key)
        self.refresh()  # also without a change: the box may show a place outside of the image

    @Slot(int, object)
    def _on_content(self, sticker: int, content: Content) -> None:
        self._apply(edits.set_content(self._board, sticker, content))

    @Slot(int, object)
    def _on_picture(self, sticker: int, path: Path) -> None:
        self._session.ask(
            "stickers.image",
            lambda: read_picture(path),
            lambda picture: self._on_content(sticker, picture),
            what=f"Reading {path.name}",
            busy=f"Reading {path.name}…",
            keep=True,
        )

    # ------------------------------------------------------------------ new stickers

    @Slot(str)
    def _on_new_content(self, content: NewContent) -> None:
        self._session.change(new_content=content)

    @Slot(object)
    def _on_new_colour(self, colour: tuple[float, float, float]) -> None:
        self._session.change(new_colour=colour)
