"""The folder of the user's data in which tables keep their finished cells, so that they are resumed at any time."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from pathlib import Path

from PySide6.QtCore import QStandardPaths

MOST_TABLES = 12
"""Tables whose cells are kept; the oldest are removed first."""


def tables_folder() -> Path:
    """Return the folder of all tables."""
    base = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericDataLocation)
    return Path(base) / "gibbon" / "tables"


def table_folder(title: str) -> Path:
    """Return the folder of the table of a name, readable as far as file names allow."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", title).strip("-")[:60] or "table"
    return tables_folder() / f"{words}-{hashlib.sha256(title.encode()).hexdigest()[:8]}"


def begin_table(folder: Path) -> None:
    """Make the folder of a table, as the newest, and remove the cells of all but the newest tables.

    Raises
    ------
    OSError
        The folder cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    os.utime(folder)
    found = sorted((path for path in tables_folder().iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in found[MOST_TABLES:]:
        if path != folder:
            shutil.rmtree(path, ignore_errors=True)
