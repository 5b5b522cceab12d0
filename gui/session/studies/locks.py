"""StudyLocks: the locks of every study that this window holds, of the present one and of those that are just being opened or left."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.file_lock import FileLock, Holder


class StudyLocks:
    """All locks are acquired here, so that the end of the window gives back each of them, whoever was to get it."""

    def __init__(self) -> None:
        self._held: list[FileLock] = []

    def acquire(self, path: Path) -> tuple[FileLock | None, Holder | None]:
        """Lock a file; return the lock, or who holds it. Imports no torch."""
        from engine.file_lock import FileLock

        lock = FileLock(path)
        holder = lock.acquire()
        if holder is not None:
            return None, holder
        self._held.append(lock)
        return lock, None

    def give_back(self, lock: FileLock | None) -> None:
        """Release a lock; None is none."""
        if lock is not None:
            lock.release()
            self._held = [other for other in self._held if other is not lock]

    def give_back_all(self) -> None:
        """Release every lock."""
        for lock in [*self._held]:
            self.give_back(lock)
