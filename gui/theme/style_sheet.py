"""The one style sheet, and the marks by which a widget asks for a style of it."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
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

from gui.theme.icons import icon

_Labelled = TypeVar("_Labelled", QLabel, QMessageBox)

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


def primary(button: QPushButton, icon_name: str = "") -> QPushButton:
    """Mark the one primary button of a dock, and give it an icon in the colour of its text."""
    button.setProperty("primary", True)
    if icon_name:
        button.setIcon(icon(icon_name, QPalette.ColorRole.HighlightedText))
    return button


def rich(widget: _Labelled) -> _Labelled:
    """Mark a label or a message box whose text is markup written by the program; texts from elsewhere in it must be escaped."""
    widget.setProperty("rich", True)
    return widget


def has_sheet_colours(widget: QWidget) -> bool:
    """Return whether colours of the style sheet apply to a widget."""
    return (
        isinstance(widget, _DRESSED)
        or widget.objectName() == "dockTitle"
        or bool(widget.property("primary") or widget.property("choice") or widget.property("dressed"))
    )
