"""Places: how a panel asks for another layout of the window, and the way back to where the user came from."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal


class Places(QObject):
    """Requests for another layout, which the window carries out. The session owns the only instance."""

    wanted = Signal(str, str)
    """A layout is to be shown, such as ``attack``, and a dock of it brought to the front; either may be empty."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._back: tuple[str, str] = ("", "")
        self._gone_to = ""

    def go(self, layout: str, dock: str = "", *, back: tuple[str, str] = ("", "")) -> None:
        """Show a layout. ``back`` is the layout and the dock to which `return_back` returns."""
        self._back, self._gone_to = back, layout
        self.wanted.emit(layout, dock)

    def return_back(self) -> bool:
        """Return to where the last `go` came from; False if there is no such place."""
        back, self._back = self._back, ("", "")
        if back[0]:
            self.wanted.emit(*back)
        return bool(back[0])

    def note(self, layout: str) -> None:
        """Note the layout that is shown now: the way back is forgotten if the user has gone elsewhere by hand."""
        if layout != self._gone_to:
            self._back = ("", "")
