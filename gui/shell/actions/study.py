"""The File menu's commands for studies: new, open, save."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog

from gui.shell.actions.conditions import ready
from gui.shell.actions.spec import ActionSpec
from gui.shell.opening import open_file

if TYPE_CHECKING:
    from gui.shell.actions.shell import Shell

FILTER = "Studies (*.gibbon)"


def new_study(shell: Shell) -> None:
    """Begin a new study with the present model and image."""
    shell.session.studies.new()


def open_study(shell: Shell) -> None:
    """Ask for a study, and open it."""
    folder = shell.settings.folder("studies")
    path, _ = QFileDialog.getOpenFileName(shell.window(), "Open study", str(folder), f"{FILTER};;All files (*)")
    if path:
        open_file(shell, Path(path))


def save_study(shell: Shell) -> None:
    """Save the study in its file; ask for a name where it has none yet."""
    if not shell.session.studies.save():
        save_study_as(shell)


def save_study_as(shell: Shell) -> None:
    """Ask for a file name, and save the study there, now and from then on."""
    studies = shell.session.studies
    stem = studies.name or Path(str(shell.session.image.get("name", "study"))).stem
    start = studies.path or shell.settings.folder("studies") / f"{stem}.gibbon"
    path, _ = QFileDialog.getSaveFileName(shell.window(), "Save study", str(start), FILTER)
    if path:
        shell.settings.keep_folder("studies", Path(path).parent)
        studies.save(Path(path))


SPECS: tuple[ActionSpec, ...] = (
    ActionSpec(
        "new_study",
        "New study",
        new_study,
        "Begin anew with this model and image; the present study is saved first",
        ("Ctrl+N",),
        "mdi6.file-outline",
        enabled=ready,
        rule=True,
    ),
    ActionSpec(
        "open_study",
        "Open study…",
        open_study,
        "Open a study: model, image, stickers, plan and all its runs",
        ("Ctrl+Shift+O",),
        "mdi6.folder-star-outline",
        enabled=ready,
    ),
    ActionSpec(
        "save_study",
        "Save study",
        save_study,
        "Save model, image, stickers, plan and all runs in one file. The session also saves itself, every minute and when it ends",
        ("Ctrl+Alt+S",),
        "mdi6.content-save-all-outline",
        enabled=ready,
    ),
    ActionSpec(
        "save_study_as",
        "Save study as…",
        save_study_as,
        "Save the study under another name, and go on there",
        ("Ctrl+Shift+S",),
        enabled=ready,
    ),
)
