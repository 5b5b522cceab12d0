"""Theme: sets the palette, light or dark, and follows the system's scheme."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from PySide6.QtCore import QObject, QSettings, Qt, Signal, Slot
from PySide6.QtWidgets import QApplication, QWidget

from gui.theme.colours import is_dark
from gui.theme.palettes import palette
from gui.theme.style_sheet import STYLE_SHEET, has_sheet_colours

Choice = Literal["system", "light", "dark"]


def _repolish(widgets: Iterable[QWidget]) -> None:
    """Make the style look up the palette's colours again, since it keeps those from when it polished a widget."""
    for widget in widgets:
        style = widget.style()
        style.unpolish(widget)
        style.polish(widget)
        widget.update()


class Theme(QObject):
    """Sets the application's palette to light, to dark, or to the system's scheme, and follows changes of that."""

    changed = Signal()

    def __init__(self, app: QApplication, settings: QSettings) -> None:
        super().__init__(app)
        self._app, self._settings = app, settings
        self._system_dark = is_dark(app.palette())
        # Without this a style sheet prevents the palette from reaching a window's children.
        app.setAttribute(Qt.ApplicationAttribute.AA_UseStyleSheetPropagationInWidgetStyles)
        app.styleHints().colorSchemeChanged.connect(self._on_system_changed)
        self._apply()

    @property
    def choice(self) -> Choice:
        """The chosen theme: light, dark or the system's."""
        kept = str(self._settings.value("theme", "system"))
        return kept if kept in ("light", "dark") else "system"  # type: ignore[return-value]

    @property
    def dark(self) -> bool:
        """Whether the present theme is dark."""
        scheme = self._app.styleHints().colorScheme()
        system = self._system_dark if scheme == Qt.ColorScheme.Unknown else scheme == Qt.ColorScheme.Dark
        return {"light": False, "dark": True, "system": system}[self.choice]

    def choose(self, choice: Choice) -> None:
        """Switch to a theme, and store the choice."""
        self._settings.setValue("theme", choice)
        self._apply()

    @Slot(Qt.ColorScheme)
    def _on_system_changed(self, _scheme: Qt.ColorScheme) -> None:
        self._apply()

    def _apply(self) -> None:
        if self._app.styleSheet() != STYLE_SHEET:
            self._app.setStyle("Fusion")
            self._app.setStyleSheet(STYLE_SHEET)
        self._app.setPalette(palette(self.dark))
        _repolish(filter(has_sheet_colours, self._app.allWidgets()))
        self.changed.emit()
