"""Theme: colours with a meaning, palettes for light and dark, icons in the palette's colour, and one small style sheet."""

from __future__ import annotations

import functools
import importlib.util
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, TypeVar

from PySide6.QtCore import QObject, QPoint, QRect, QSettings, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QIconEngine, QPainter, QPalette, QPen, QPixmap
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QLabel,
    QListWidget,
    QMainWindow,
    QMessageBox,
    QPushButton,
    QRadioButton,
    QStatusBar,
    QTabBar,
    QTabWidget,
    QToolBar,
    QWidget,
)

CLEAN = "#0072B2"
"""The clean image, everywhere: frame, bar, histogram, curve. The four colours are Okabe and Ito's, distinct to colour-blind eyes."""
ADVERSARIAL = "#D55E00"
LABEL = "#009E73"
"""The true label."""
TARGET = "#CC79A7"
COMPARED = ("#E69F00", "#56B4E9", "#F0E442", "#7F7F7F")
"""The compared runs A, B, C and D, from Okabe and Ito's set; E has the colour of A again."""
ALERT = "#C9820A"
"""The icon of an error or a warning. It is none of the four colours, which are about images."""
MISTAKE = "#C0281E"
"""The text of an input that the user has to correct, made readable on the palette."""
GRID = 8
"""The unit of spacings, in pixels."""
TEXT_BESIDE_ICON = Qt.ToolButtonStyle.ToolButtonTextBesideIcon

Choice = Literal["system", "light", "dark"]
_Labelled = TypeVar("_Labelled", QLabel, QMessageBox)

_LIGHT = {"window": "#F3F4F6", "base": "#FFFFFF", "button": "#FAFBFC", "text": "#1B1F24", "line": "#CDD2D9", "accent": "#3E5873"}
_DARK = {"window": "#23272C", "base": "#131518", "button": "#2D3238", "text": "#E4E7EB", "line": "#434A53", "accent": "#6F8FB3"}


# ---------------------------------------------------------------------- colours


def is_dark(palette: QPalette) -> bool:
    """Return whether text is lighter than its background."""
    return palette.windowText().color().lightness() > palette.window().color().lightness()


def blend(one: QColor | str, other: QColor | str, share: float) -> QColor:
    """Blend two colours: ``(1 - share) * one + share * other``."""
    return QColor.fromRgbF(*((1 - share) * x + share * y for x, y in zip(_rgb(QColor(one)), _rgb(QColor(other)), strict=True)))


def _rgb(colour: QColor) -> tuple[float, float, float]:
    return colour.redF(), colour.greenF(), colour.blueF()


def text_colour(palette: QPalette) -> QColor:
    """Return the colour of primary text."""
    return palette.windowText().color()


def muted_colour(palette: QPalette) -> QColor:
    """Return the colour of secondary text: axes, captions, empty states."""
    return blend(palette.windowText().color(), palette.window().color(), 0.35)


def compared_colour(place: int) -> QColor:
    """Return the colour of a compared run: A is at place 0."""
    return QColor(COMPARED[place % len(COMPARED)])


def ink_on(colour: QColor) -> QColor:
    """Return black or white, whichever is read more easily on a colour."""
    return max((QColor("#000000"), QColor("#FFFFFF")), key=lambda ink: contrast_ratio(ink, colour))


def line_colour(palette: QPalette) -> QColor:
    """Return the colour of borders and grids."""
    return QColor(_DARK["line"] if is_dark(palette) else _LIGHT["line"])


def contrast_ratio(one: QColor, other: QColor) -> float:
    """Return WCAG's contrast ratio of two colours, from 1 to 21."""

    def luminance(colour: QColor) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _rgb(colour)]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def readable(colour: QColor | str, palette: QPalette, ratio: float = 4.5) -> QColor:
    """Return ``colour`` blended with the text colour until its contrast with the palette's base reaches ``ratio``."""
    return readable_on(palette.base().color(), colour, palette.text().color(), ratio)


def readable_on(ground: QColor, colour: QColor | str, text: QColor, ratio: float = 4.5) -> QColor:
    """Return ``colour`` blended with the text colour until its contrast with the ground reaches ``ratio``."""
    for step in range(11):
        candidate = blend(colour, text, step / 10)
        if contrast_ratio(candidate, ground) >= ratio:
            return candidate
    return text


def pen(colour: QColor | str, width: float = 1.0, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    """Return a pen whose width is in screen pixels at any zoom."""
    made = QPen(QColor(colour), width, style)
    made.setCosmetic(True)
    return made


def number_font(font: QFont) -> QFont:
    """Return ``font`` with digits of equal width, so that nothing jumps when a value changes."""
    made = QFont(font)
    made.setFeature(QFont.Tag("tnum"), 1)
    return made


# ---------------------------------------------------------------------- icons

_FONTS = {"mdi6": "materialdesignicons6-webfont", "fa6s": "fontawesome6-solid-webfont", "fa6": "fontawesome6-regular-webfont"}


@functools.cache
def _font(prefix: str) -> tuple[str, dict[str, str]]:
    """Return family and characters of one of qtawesome's fonts, without importing qtawesome, which would delay the first paint by 0.2 s."""
    spec = importlib.util.find_spec("qtawesome")
    folder = Path(str(spec and spec.origin)).parent / "fonts"
    (file,) = folder.glob(f"{_FONTS[prefix]}-[0-9]*.ttf")
    (names,) = folder.glob(f"{_FONTS[prefix].replace('webfont', 'webfont-charmap')}-[0-9]*.json")
    family = QFontDatabase.applicationFontFamilies(QFontDatabase.addApplicationFont(str(file)))[0]
    return family, json.loads(names.read_text())


def glyph(name: str, colour: QColor | str, side: int) -> QPixmap:
    """Return an icon such as ``mdi6.alert`` in a fixed colour as a picture of ``side`` pixels, for labels, which need no icon's engine."""
    prefix, _, character = name.partition(".")
    family, names = _font(prefix)
    pixmap = QPixmap(side, side)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    _draw(painter, pixmap.rect(), family, chr(int(names[character], 16)), QColor(colour))
    painter.end()
    return pixmap


def _draw(painter: QPainter, rect: QRect, family: str, character: str, colour: QColor) -> None:
    font = QFont(family)
    font.setPixelSize(max(1, round(rect.height() * 0.92)))
    painter.save()
    painter.setPen(colour)
    painter.setFont(font)
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, character)
    painter.restore()


class _Glyph(QIconEngine):
    """An icon of one character, painted in the present palette's colour, so that it follows light and dark."""

    def __init__(self, name: str, colour: str | QPalette.ColorRole) -> None:
        super().__init__()
        self._name, self._colour = name, colour
        prefix, _, glyph = name.partition(".")
        self._family, names = _font(prefix)
        self._character = chr(int(names[glyph], 16))

    def clone(self) -> QIconEngine:
        return _Glyph(self._name, self._colour)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, _state: QIcon.State) -> None:
        role, group = (
            QPalette.ColorRole.ButtonText,
            QPalette.ColorGroup.Disabled if mode == QIcon.Mode.Disabled else QPalette.ColorGroup.Active,
        )
        if mode == QIcon.Mode.Selected:  # in a selected row, whose background is the highlight
            colour = QApplication.palette().highlightedText().color()
        elif isinstance(self._colour, str) and mode != QIcon.Mode.Disabled:
            colour = QColor(self._colour)
        else:
            colour = QApplication.palette().color(group, role if isinstance(self._colour, str) else self._colour)
        _draw(painter, rect, self._family, self._character, colour)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return pixmap


def icon(name: str, colour: QColor | str | QPalette.ColorRole = QPalette.ColorRole.ButtonText) -> QIcon:
    """Return an icon such as ``mdi6.play``, in the colour of a palette role, which it follows, or in a fixed colour."""
    return QIcon(_Glyph(name, colour if isinstance(colour, QPalette.ColorRole) else QColor(colour).name()))


# ---------------------------------------------------------------------- palettes


def palette(dark: bool) -> QPalette:
    """Return the light or the dark palette, all of it derived from six colours."""
    c = {name: QColor(value) for name, value in (_DARK if dark else _LIGHT).items()}
    made = QPalette(c["button"], c["window"])
    role, group = QPalette.ColorRole, QPalette.ColorGroup
    for text in (role.WindowText, role.Text, role.ButtonText, role.ToolTipText):
        made.setColor(text, c["text"])
        made.setColor(group.Disabled, text, blend(c["text"], c["window"], 0.6))
    made.setColor(role.Base, c["base"])
    made.setColor(role.AlternateBase, blend(c["base"], c["window"], 0.6))
    made.setColor(role.ToolTipBase, c["button"])
    made.setColor(role.PlaceholderText, blend(c["text"], c["base"], 0.5))
    made.setColor(role.Mid, c["line"])
    made.setColor(role.Highlight, c["accent"])
    made.setColor(role.Accent, c["accent"])
    made.setColor(role.HighlightedText, QColor("#101214") if dark else QColor("#FFFFFF"))
    made.setColor(group.Disabled, role.Highlight, blend(c["accent"], c["window"], 0.6))
    made.setColor(role.Link, blend(c["accent"], c["text"], 0.15))
    # The style sheet can only name roles, and Fusion does not use these three.
    made.setColor(role.Dark, blend(c["text"], c["window"], 0.35))
    made.setColor(role.Shadow, blend(c["text"], c["window"], 0.6))
    made.setColor(role.Midlight, blend(c["accent"], c["window"], 0.75))
    return made


def primary(button: QPushButton, icon_name: str = "") -> QPushButton:
    """Mark the one primary button of a dock, and give it an icon in the colour of its text."""
    button.setProperty("primary", True)
    if icon_name:
        button.setIcon(icon(icon_name, QPalette.ColorRole.HighlightedText))
    return button


STYLE_SHEET = """
    QLabel, QToolTip { qproperty-textFormat: PlainText; }
    QLabel[rich="true"], QMessageBox[rich="true"] QLabel { qproperty-textFormat: RichText; }
    QMainWindow::separator { background: palette(mid); width: 1px; height: 1px; margin: 2px; }
    QMainWindow::separator:hover { background: palette(highlight); }
    #dockTitle { border-bottom: 1px solid palette(mid); }
    QTabBar { qproperty-drawBase: 0; }
    QTabBar::tab {
        background: transparent; color: palette(dark); border: none; border-bottom: 2px solid transparent; padding: 5px 10px 4px; }
    QTabBar::tab:hover { color: palette(window-text); }
    QTabBar::tab:selected { color: palette(window-text); border-bottom: 2px solid palette(highlight); }
    QTabBar::tab:disabled { color: palette(shadow); }
    QTabWidget::pane { border: none; border-top: 1px solid palette(mid); }
    QToolBar { border: none; border-bottom: 1px solid palette(mid); padding: 3px 6px; spacing: 2px; }
    QToolBar[rail="true"] { border: none; border-right: 1px solid palette(mid); padding: 0; margin: 0; spacing: 0; }
    QToolBar[rail="true"] QToolButton {
        border: none; border-left: 3px solid transparent; color: palette(dark); padding: 6px 3px 5px 0; }
    QToolBar[rail="true"] QToolButton:hover { color: palette(window-text); }
    QToolBar[rail="true"] QToolButton:focus { border-left-color: palette(mid); }
    QToolBar[rail="true"] QToolButton:checked { color: palette(window-text); border-left-color: palette(highlight); }
    QToolBar[strip="true"] { border: none; border-top: 1px solid palette(mid); padding: 0 6px; }
    QToolBar[strip="true"] QToolButton { border: none; padding: 1px 4px; }
    QToolBar::separator { background: palette(mid); width: 1px; margin: 5px 6px; }
    QStatusBar { border-top: 1px solid palette(mid); }
    QStatusBar::item { border: none; }
    QToolTip { background: palette(button); color: palette(window-text); border: 1px solid palette(mid); padding: 4px 6px; }
    QPushButton[primary="true"] {
        background: palette(highlight); color: palette(highlighted-text); border: none; border-radius: 3px; padding: 6px 16px;
        font-weight: 600; }
    QPushButton[primary="true"]:hover { background: palette(link); }
    QPushButton[primary="true"]:focus { border: 2px solid palette(window-text); padding: 4px 14px; }
    QPushButton[primary="true"]:disabled { background: palette(midlight); color: palette(shadow); }
    QToolButton[primary="true"] {
        background: palette(highlight); color: palette(highlighted-text); border: none; border-radius: 3px; padding: 2px 10px;
        font-weight: 600; }
    QToolButton[primary="true"]:hover { background: palette(link); }
    QToolButton[primary="true"]:focus { border: 2px solid palette(window-text); padding: 0 8px; }
    QToolButton[primary="true"]:disabled { background: palette(midlight); color: palette(shadow); }
    QToolButton[choice="true"] { border: 1px solid palette(mid); border-radius: 3px; padding: 2px 6px; }
    QToolButton[choice="true"]:hover { border-color: palette(highlight); }
    QToolButton[choice="true"]:checked {
        background: palette(highlight); color: palette(highlighted-text); border-color: palette(highlight); }
    QToolButton[choice="true"]:focus { border-color: palette(window-text); }
    QCheckBox::indicator:unchecked, QRadioButton::indicator:unchecked, QListWidget::indicator:unchecked {
        width: 12px; height: 12px; border: 1px solid palette(dark); border-radius: 2px; background: palette(base); }
    QRadioButton::indicator:unchecked { border-radius: 7px; }
    QCheckBox::indicator:unchecked:disabled, QRadioButton::indicator:unchecked:disabled, QListWidget::indicator:unchecked:disabled {
        border-color: palette(shadow); background: palette(window); }
"""
"""The style of flat dock titles, thin splitters, the primary button and visible outlines of empty boxes, which Fusion lacks. Its first line
makes every label, message box and tool tip plain text; `rich` marks the few whose markup the program writes itself. The sheet names roles
of the palette and no colours, so that it is set only once: setting an application's sheet again polishes every widget, which takes most of
a second."""

_DRESSED = (QTabBar, QTabWidget, QToolBar, QStatusBar, QMainWindow, QCheckBox, QRadioButton, QListWidget)


def rich(widget: _Labelled) -> _Labelled:
    """Mark a label or a message box whose text is markup written by the program; texts from elsewhere in it must be escaped."""
    widget.setProperty("rich", True)
    return widget


def _has_sheet_colours(widget: QWidget) -> bool:
    """Return whether colours of the style sheet apply to a widget."""
    return (
        isinstance(widget, _DRESSED)
        or widget.objectName() == "dockTitle"
        or bool(widget.property("primary") or widget.property("choice") or widget.property("dressed"))
    )


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
        _repolish(filter(_has_sheet_colours, self._app.allWidgets()))
        self.changed.emit()
