"""The About box: purpose, licences and versions."""

from __future__ import annotations

import html
import importlib.metadata
import platform

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from gui import theme

LIBRARIES = ("PySide6-Essentials", "pyqtgraph", "torch", "torchvision", "numpy", "pydantic", "matplotlib", "scikit-image", "QtAwesome")


def library_versions() -> dict[str, str]:
    """Return the versions of Gibbon, Python and the libraries, from their metadata: importing them would take seconds."""
    own = {"Gibbon": _version("gibbon-workbench"), "Python": platform.python_version()}
    return own | {name: _version(name) for name in LIBRARIES}


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def about(parent: QWidget) -> None:
    """Show the About box: purpose, licences, and the versions to name in a bug report."""
    box = theme.rich(QMessageBox(parent))
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowTitle("About Gibbon")
    box.setText("<b>Gibbon</b><br>A workbench for adversarial images")
    rows = "".join(
        f"<tr><td style='padding-right: 16px'>{html.escape(name)}</td><td>{html.escape(version)}</td></tr>"
        for name, version in library_versions().items()
    )
    box.setInformativeText(
        "Apache License 2.0. Icons: Material Design Icons, Apache License 2.0. "
        "Qt and PySide6 are used under the LGPL v3.<br><br>"
        f"<table>{rows}</table>"
    )
    box.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    box.open()
