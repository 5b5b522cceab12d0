"""Downloads that report progress, can be cancelled, and leave either the whole file or none."""

from __future__ import annotations

import hashlib
import os
import queue
import tempfile
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from engine.errors import GibbonError
from engine.models.foreign import is_web_page

Progress = Callable[[int, int | None], None]
"""Callback with the bytes received and, where the server reports it, the total."""
Cancel = Callable[[], bool]
"""Callback that is polled ten times a second; True ends the download."""

_CHUNK = 1 << 16
_PATIENCE = 0.1


class DownloadCancelled(GibbonError):
    """The user cancelled the download, and no partial file remains."""


def download(
    url: str,
    target: Path,
    *,
    sha256_prefix: str = "",
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    timeout: float = 30.0,
) -> Path:
    """Download ``url`` to ``target``, through a .part file beside it.

    Parameters
    ----------
    url, target
        The address, and the file to write. Its folder is made if necessary.
    sha256_prefix
        The first hex digits of the expected SHA-256. Empty: any file is accepted.
    progress, cancel
        The callbacks, called from this thread.
    timeout
        Seconds without data after which the connection counts as lost.

    Raises
    ------
    DownloadCancelled
        ``cancel`` returned True.
    GibbonError
        There is no network, the server refuses, the body is cut short or a web page, the hash differs, or the disk is full.
    """
    part: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # A unique name, since two downloads of one file must not write into each other.
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
        part = Path(name)
        with os.fdopen(handle, "wb") as file:
            digest = _receive(url, target, file, timeout, progress or _silent, cancel or _never)
        if not digest.startswith(sha256_prefix.lower()):
            raise GibbonError(
                f"What {url} gave is not the published file: its SHA-256 begins with {digest[:8]}, not {sha256_prefix}. "
                f"Try again, or put the right file at {target}."
            )
        os.replace(part, target)
    except OSError as error:
        raise GibbonError(
            f"“{target}” cannot be written: {error.strerror or error}. Make room, or set TORCH_HOME to another folder."
        ) from None
    finally:
        if part is not None:
            part.unlink(missing_ok=True)
    return target


def _silent(done: int, total: int | None) -> None:
    pass


def _never() -> bool:
    return False


def _receive(url: str, target: Path, file: BinaryIO, timeout: float, progress: Progress, cancel: Cancel) -> str:
    """Write the body to ``file``, and return its SHA-256."""
    digest, done = hashlib.sha256(), 0
    for chunk, total in _Fetch(url, timeout).chunks(cancel):
        if isinstance(chunk, Exception):
            raise GibbonError(_offline(url, target, chunk)) from None
        if done == 0 and is_web_page(chunk):
            raise GibbonError(f"{url} gave a web page instead of the file. Fetch it with a browser and put it at {target}.")
        file.write(chunk)
        digest.update(chunk)
        done += len(chunk)
        progress(done, total)
        # A body that ends early raises nothing after its last chunk, so the length must be compared.
        if not chunk and (done == 0 or (total is not None and done != total)):
            expected = "the file" if total is None else f"{total:,}"
            raise GibbonError(f"The download of {target.name} ended after {done:,} bytes of {expected}. Try again.")
    return digest.hexdigest()


def _offline(url: str, target: Path, error: Exception) -> str:
    if isinstance(error, HTTPError):
        why = f"the server answered {error.code} {error.reason}"
    else:
        why = str(getattr(error, "reason", "") or error or type(error).__name__)
    return f"{target.name} could not be downloaded ({why}). Check the network, or fetch {url} elsewhere and put it at {target}."


class _Fetch:
    """A download in its own thread, so that an unresponsive server cannot block the caller."""

    def __init__(self, url: str, timeout: float) -> None:
        self._url, self._timeout = url, timeout
        self._queue: queue.Queue[tuple[bytes | Exception, int | None]] = queue.Queue(maxsize=16)
        self._over = threading.Event()

    def chunks(self, cancel: Cancel) -> Iterator[tuple[bytes | Exception, int | None]]:
        """Yield pieces of the body with the total length; the last is empty, or the exception that ended it."""
        threading.Thread(target=self._run, name="download", daemon=True).start()
        try:
            while True:
                if cancel():
                    raise DownloadCancelled("The download was cancelled; nothing was left behind.")
                try:
                    chunk, total = self._queue.get(timeout=_PATIENCE)
                except queue.Empty:
                    continue
                yield chunk, total
                if not chunk or isinstance(chunk, Exception):
                    return
        finally:
            self._over.set()

    def _run(self) -> None:
        total: int | None = None
        try:
            with urlopen(Request(self._url, headers={"User-Agent": "gibbon-workbench"}), timeout=self._timeout) as response:
                length = response.headers.get("Content-Length")
                total = int(length) if length is not None else None
                while not self._over.is_set():
                    chunk = response.read1(_CHUNK)
                    self._put(chunk, total)
                    if not chunk:
                        return
        except (URLError, HTTPException, OSError, ValueError) as error:
            self._put(error, total)

    def _put(self, chunk: bytes | Exception, total: int | None) -> None:
        while not self._over.is_set():
            try:
                self._queue.put((chunk, total), timeout=_PATIENCE)
            except queue.Full:
                continue
            return
