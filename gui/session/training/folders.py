"""The folders in which trainings are kept: the checkpoint to resume from, and the networks of their epochs. No torch is imported."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QStandardPaths

if TYPE_CHECKING:
    from engine.file_lock import FileLock

MOST_FINISHED = 20
"""Folders of finished trainings that are kept; the oldest are removed first."""
_FACTS, _STATE = "training.json", "state.safetensors"


def trainings_folder() -> Path:
    """Return the folder of the user's data in which trainings are kept."""
    base = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericDataLocation)
    return Path(base) / "gibbon" / "trainings"


class TrainingFolder:
    """The folder of one training. While it runs, a lock says that a window works on it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: FileLock | None = None

    @property
    def state(self) -> Path:
        """The checkpoint from which the training can be resumed."""
        return self.path / _STATE

    @property
    def facts(self) -> Mapping[str, Any]:
        """The known facts about the training; empty where the file is missing or damaged."""
        try:
            found = json.loads((self.path / _FACTS).read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def note(self, **facts: Any) -> None:
        """Add facts to the file."""
        from engine.files import replacing

        with replacing(self.path / _FACTS) as staged:
            staged.write_text(json.dumps({**self.facts, **facts}, indent=2, ensure_ascii=False), "utf-8")

    def hold(self) -> bool:
        """Lock the folder for this window; return False if another one works on it."""
        from engine.file_lock import FileLock

        lock = self._lock or FileLock(self.path / _FACTS)
        if lock.acquire() is not None:
            return False
        self._lock = lock
        return True

    def release(self) -> None:
        """Let other windows work on the training."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def end(self, status: str, **facts: Any) -> None:
        """Note how the training has ended; one that is finished needs its checkpoint no more."""
        with suppress(OSError):  # a full disk must not lose the result
            self.note(status=status, **facts)
            if status == "finished":
                self.state.unlink(missing_ok=True)
        self.release()

    def remove(self) -> None:
        """Remove the training from the disk."""
        self.release()
        shutil.rmtree(self.path, ignore_errors=True)


@dataclass(frozen=True, eq=False)
class Unfinished:
    """A training that was cancelled, or whose window is gone, and that can be resumed."""

    folder: TrainingFolder
    facts: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The name of the network."""
        return str(self.facts.get("name", self.folder.path.name))

    @property
    def words(self) -> str:
        """The training in words and how far it came, such as “digits, pgd eps=0.3: cancelled in epoch 3 of 20”."""
        parameters = self.facts.get("parameters", {})
        how = "cancelled" if self.facts.get("status") == "cancelled" else "interrupted"
        epoch, epochs = int(self.facts.get("epoch", 0)) + 1, parameters.get("epochs", "?")
        return f"{self.name}, {parameters.get('recipe', 'standard')}: {how} in epoch {epoch} of {epochs}"

    @property
    def when(self) -> str:
        """The time of its checkpoint."""
        at = datetime.fromtimestamp(self.folder.state.stat().st_mtime)
        return f"{at.day} {at:%B, %H:%M}"


def new_folder(base: Path, facts: Mapping[str, Any]) -> TrainingFolder:
    """Make and lock the folder of a new training.

    Raises
    ------
    OSError
        The folder cannot be made.
    """
    stem = f"{datetime.now():%Y-%m-%d-%H%M%S}-{os.getpid()}"
    names = (stem, *(f"{stem}-{number}" for number in range(1, 1000)))
    folder = TrainingFolder(next(path for name in names if not (path := base / name).exists()))
    folder.path.mkdir(parents=True)
    folder.hold()
    folder.note(**facts, status="running", epoch=0)
    return folder


def unfinished(base: Path, *, but: Path | None = None) -> tuple[Unfinished, ...]:
    """Return the trainings that can be resumed and that no window works on, the newest first, without this window's own in ``but``."""
    found = []
    for folder in _folders(base):
        facts = {} if folder.path == but else folder.facts
        if facts and facts.get("status") != "finished" and folder.state.is_file() and folder.hold():
            folder.release()
            found.append(Unfinished(folder, facts))
    return tuple(sorted(found, key=lambda each: each.folder.state.stat().st_mtime, reverse=True))


def clear_old(base: Path) -> None:
    """Remove the folders of all but the newest finished trainings, and those in which nothing was kept. None that a window works on."""
    finished = []
    for folder in _folders(base):
        done = folder.facts.get("status") == "finished"
        if done:
            finished.append(folder)
        elif not folder.state.is_file() and folder.hold():
            folder.remove()
    for folder in sorted(finished, key=lambda each: each.path.name)[:-MOST_FINISHED]:
        if folder.hold():
            folder.remove()


def kept_folder(base: Path, key: str) -> TrainingFolder | None:
    """Return the folder of the finished training of a key, such as that of a run of a study; None if it is gone."""
    return next((folder for folder in _folders(base) if key and folder.facts.get("key") == key), None)


def _folders(base: Path) -> list[TrainingFolder]:
    return [TrainingFolder(path) for path in base.iterdir() if path.is_dir()] if base.is_dir() else []
