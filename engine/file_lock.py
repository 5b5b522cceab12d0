"""Locks beside files, so that one program writes a file. A lock names its process and host; one whose process is gone is taken over."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

ABANDONED_S = 600.0
"""Seconds after which a lock of another host that was not refreshed is abandoned: whether its process lives cannot be asked from here."""


@dataclass(frozen=True)
class Holder:
    """The process that holds a lock."""

    pid: int
    host: str
    began: float
    """Start of the process, which tells it from a later process of the same number."""

    @property
    def words(self) -> str:
        """The holder in words: another window, or another computer by its name."""
        return "another window" if self.host == socket.gethostname() else f"a window on {self.host}"


class FileLock:
    """The lock beside a file, a hidden file itself. A folder that cannot be written needs none, since no process saves there.

    A process may hold several locks of one file; the last one that is released removes the hidden file.
    """

    _mine_of: ClassVar[Counter[Path]] = Counter()
    """The locks that this process holds, by the path of the hidden file."""

    def __init__(self, path: Path) -> None:
        self.path = path.with_name(f".{path.name}.lock")
        self._mine: Holder | None = None
        self.taken_over = False
        """Whether the lock was left behind by a process that is gone: it did not end in order."""

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._mine is not None

    def acquire(self) -> Holder | None:
        """Take the lock; return who holds it where that fails, else None."""
        if self._mine is not None:
            return None
        me = Holder(os.getpid(), socket.gethostname(), began_at(os.getpid()))
        try:
            with _alone(self.path) as stream:
                there = _holder(stream.read())
                if there is not None and there != me and not self._abandoned(there):
                    return there
                self.taken_over = there is not None and there != me
                stream.seek(0)
                stream.truncate()
                stream.write(json.dumps(vars(me)).encode())
        except OSError:  # no process can save where no lock can be written
            return None
        self._mine = me
        self._mine_of[self.path] += 1
        return None

    def refresh(self) -> None:
        """Tell other hosts that the lock is still held."""
        if self._mine is not None:
            with contextlib.suppress(OSError):
                os.utime(self.path)

    def release(self) -> None:
        """Give the lock back: the lock file is removed, unless this process holds another lock of that file."""
        if self._mine is not None:
            self._mine = None
            self._mine_of[self.path] -= 1
            if self._mine_of[self.path]:
                return
            del self._mine_of[self.path]
            with contextlib.suppress(OSError):
                self.path.unlink()

    def _abandoned(self, there: Holder) -> bool:
        """Return whether the holder's process is gone."""
        if there.host != socket.gethostname():
            return time.time() - self.path.stat().st_mtime > ABANDONED_S
        return not alive(there.pid) or abs(began_at(there.pid) - there.began) > 1


def alive(pid: int) -> bool:
    """Return whether a process of this host exists."""
    if os.name == "nt":  # there, a signal of any number would end the process
        return _alive_on_windows(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # another user's, or one that cannot be asked about
        return pid > 0
    return True


def _alive_on_windows(pid: int) -> bool:
    import ctypes

    kernel: Any = ctypes.windll.kernel32  # type: ignore[attr-defined]
    handle = kernel.OpenProcess(0x1000, False, pid)  # PROCESS_QUERY_LIMITED_INFORMATION
    if not handle:
        return False
    code = ctypes.c_ulong()
    known = kernel.GetExitCodeProcess(handle, ctypes.byref(code))
    kernel.CloseHandle(handle)
    return not known or code.value == 259  # STILL_ACTIVE


def began_at(pid: int) -> float:
    """Return the second at which a process began, counted from the start of the computer; 0 where the system does not say."""
    try:
        ticks = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
        return ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return 0.0


def _holder(data: bytes) -> Holder | None:
    """Return the holder that a lock file names; None for an empty or damaged file."""
    try:
        said: dict[str, Any] = json.loads(data)
        return Holder(int(said["pid"]), str(said["host"]), float(said["began"]))
    except (ValueError, KeyError, TypeError):
        return None


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[Any]:
    """Open a lock file, made if it is not there, while no other process reads or writes it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(handle, "r+b") as stream:
        try:
            import fcntl
        except ImportError:  # no such calls on Windows, where two programs would have to begin within a millisecond
            yield stream
            return
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield stream
