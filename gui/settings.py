"""Settings: what is kept from one start to the next, in one file per person."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

MOST_RECENT = 10
LAYOUT_VERSION = 1
"""Counted up when docks are renamed, so that an old layout is not forced upon new docks."""


class Settings:
    """A typed view of QSettings. Values that make no sense are left out rather than trusted."""

    def __init__(self) -> None:
        self.store = QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "Gibbon", "gibbon")

    # ------------------------------------------------------------------ recent images

    @property
    def recent_images(self) -> list[Path]:
        """The newest first."""
        kept = self.store.value("recent/images", [])
        texts = [kept] if isinstance(kept, str) else list(kept) if isinstance(kept, (list, tuple)) else []
        return [Path(str(text)) for text in texts][:MOST_RECENT]

    def add_recent_image(self, path: Path) -> None:
        """Put it first."""
        path = path.expanduser().absolute()
        self._keep_recent([path, *(other for other in self.recent_images if other != path)])

    def remove_recent_image(self, path: Path) -> None:
        """It is no longer there."""
        self._keep_recent([other for other in self.recent_images if other != path])

    def clear_recent_images(self) -> None:
        """Forget all."""
        self._keep_recent([])

    def _keep_recent(self, paths: list[Path]) -> None:
        self.store.setValue("recent/images", [str(path) for path in paths[:MOST_RECENT]])

    # ------------------------------------------------------------------ folders and texts

    def folder(self, purpose: str) -> Path:
        """Where a file dialog of that purpose was last."""
        kept = Path(str(self.store.value(f"folders/{purpose}", "")) or Path.home())
        return kept if kept.is_dir() else Path.home()

    def keep_folder(self, purpose: str, path: Path) -> None:
        """Begin there next time."""
        self.store.setValue(f"folders/{purpose}", str(path.absolute()))

    def text(self, key: str, default: str = "") -> str:
        """A kept text."""
        return str(self.store.value(key, default))

    def keep_text(self, key: str, value: str) -> None:
        """Keep a text."""
        self.store.setValue(key, value)

    # ------------------------------------------------------------------ the window

    def bytes(self, key: str) -> QByteArray:
        """Geometry or layout; empty where none was kept."""
        kept = self.store.value(f"window/{LAYOUT_VERSION}/{key}")
        return kept if isinstance(kept, QByteArray) else QByteArray()

    def keep_bytes(self, key: str, value: QByteArray) -> None:
        """Keep geometry or layout."""
        self.store.setValue(f"window/{LAYOUT_VERSION}/{key}", value)
