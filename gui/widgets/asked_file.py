"""Asking for the name of a file to be written: the suffix that is typed decides, and one that cannot be written is said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from gui.settings import Settings

_SUFFIX = re.compile(r"\.[A-Za-z]\w{0,11}$")
"""The end of a name that is meant as a suffix; “run 1.5” and “Dr. No” have none."""


class WrongSuffix(ValueError):
    """A name has a suffix of another kind; the text is the sentence for the user."""


def named(name: str, suffixes: Sequence[str]) -> Path:
    """Return a typed name as a path with one of the suffixes; the first one is added where none was typed.

    Raises
    ------
    WrongSuffix
        Another suffix was typed.
    """
    path = Path(name)
    if path.suffix.lower() in suffixes:
        return path
    if _SUFFIX.search(path.name.removeprefix(".")):
        *others, last = suffixes
        choice = f"{', '.join(others)} or {last}" if others else last
        raise WrongSuffix(f"“{path.name}” does not end in {choice}, so nothing was written. Name it {path.stem}{suffixes[0]}, for example.")
    return path.with_name(path.name + suffixes[0])


def ask_file_in(folder: str, parent: QWidget, title: str, name: str, kinds: str, *others: str) -> Path | None:
    """Ask for a file as `ask_file` does, with ``name`` in the folder that was last used for such files; the new folder is kept."""
    settings = Settings()
    path = ask_file(parent, title, settings.folder(folder) / name, kinds, *others)
    if path is not None:
        settings.keep_folder(folder, path.parent)
    return path


def ask_file(parent: QWidget | None, title: str, start: Path, kinds: str, *others: str) -> Path | None:
    """Ask for a file to be written, and return its path; None if the user cancelled, or typed a wrong suffix, which is said.

    ``start`` is the proposal, whose suffix is the usual one; ``kinds`` is the dialog's filter, and ``others`` are more suffixes that may be
    typed.
    """
    suffixes = tuple(dict.fromkeys((start.suffix, *others)))
    chosen, _ = QFileDialog.getSaveFileName(parent, title, str(start), kinds)
    if not chosen:
        return None
    try:
        return named(chosen, suffixes)
    except WrongSuffix as error:
        QMessageBox.warning(parent, title, str(error))
        return None
