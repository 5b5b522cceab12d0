"""The Stickers dock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gui.panels.stickers.presenter import StickersPresenter
from gui.panels.stickers.view import StickersView

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from gui.session.session import Session


class StickersPanel(StickersView):
    """The dock's view, connected to the session."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        StickersPresenter(session, self)
