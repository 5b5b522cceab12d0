"""The folder of the user's data in which tables keep their finished cells, so that they are resumed at any time."""

from __future__ import annotations

import hashlib
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


def clear_old_tables(but: Path) -> None:
    """Remove the cells of all but the newest tables."""
    folder = tables_folder()
    found = [path for path in folder.iterdir() if path.is_dir() and path != but] if folder.is_dir() else []
    for path in sorted(found, key=lambda each: each.stat().st_mtime, reverse=True)[MOST_TABLES - 1 :]:
        shutil.rmtree(path, ignore_errors=True)
