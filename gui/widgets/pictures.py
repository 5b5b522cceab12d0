"""Pictures and numbers that leave the window: as a file, written whole or not at all, or to the clipboard."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QIODevice, QSaveFile
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QMessageBox, QWidget

from gui.settings import Settings
from gui.widgets.asked_file import ask_file


def copy_picture(image: QImage) -> None:
    """Put a picture on the clipboard."""
    QGuiApplication.clipboard().setImage(image.copy())


def copy_text(text: str) -> None:
    """Put a text on the clipboard."""
    QGuiApplication.clipboard().setText(text)


def write_picture(image: QImage, path: Path) -> str:
    """Write a picture as PNG; return the sentence that says why it could not be written, or an empty text. An old file stays till then."""
    file = QSaveFile(str(path))
    if file.open(QIODevice.OpenModeFlag.WriteOnly) and image.save(file, "PNG") and file.commit():  # type: ignore[call-overload]
        return ""
    return f"“{path.name}” could not be written: {file.errorString()}. Choose another folder."


def ask_and_write(image: QImage, stem: str, title: str, parent: QWidget) -> Path | None:
    """Ask for a file and write a picture to it as PNG; return its path, or None if nothing was written."""
    settings = Settings()
    start = settings.folder("save") / f"{stem}.png"
    path = ask_file(parent, title, start, "PNG image (*.png)")
    if path is None:
        return None
    settings.keep_folder("save", path.parent)
    wrong = write_picture(image, path)
    if wrong:
        QMessageBox.warning(parent, title, wrong)
        return None
    return path
