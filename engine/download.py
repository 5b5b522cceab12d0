"""Downloads that report progress, can be cancelled, and leave either the whole file or none."""

from __future__ import annotations

import hashlib
import os
import queue
import tempfile
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from engine.errors import GibbonError

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
    told, cancelled = progress or _silent, cancel or _never
    bits = downloading(url, target, sha256_prefix=sha256_prefix, timeout=timeout)
    with closing(bits):
        for done, total in bits:
            if cancelled():
                raise DownloadCancelled("The download was cancelled; nothing was left behind.")
            if done is not None:
                told(done, total)
    return target


def downloading(
    url: str, target: Path, *, sha256_prefix: str = "", md5: str = "", timeout: float = 30.0
) -> Generator[tuple[int | None, int | None], None, Path]:
    """Download like `download`, piece by piece: it yields the bytes received and the total, or (None, None) while nothing comes.

    Closing the generator ends the download, and leaves nothing behind. ``md5`` is the expected MD5, where no other hash is published.

    Raises
    ------
    GibbonError
        As for `download`.
    """
    part: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # A unique name, since two downloads of one file must not write into each other.
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
        part = Path(name)
        with os.fdopen(handle, "wb") as file:
            found = yield from _receive(url, target, file, timeout)
        for kind, digest, expected in (("SHA-256", found[0], sha256_prefix.lower()), ("MD5", found[1], md5)):
            if not digest.startswith(expected):
                raise GibbonError(
                    f"What {url} gave is not the published file: its {kind} begins with {digest[:8]}, not {expected[:8]}. "
                    f"Try again, or put the right file at {target}."
                )
        os.replace(part, target)
    except OSError as error:
        raise GibbonError(f"“{target}” cannot be written: {error.strerror or error}. Make room, or choose another folder.") from None
    finally:
        if part is not None:
            part.unlink(missing_ok=True)
    return target


def is_web_page(head: bytes) -> bool:
    """Return whether a file with these first bytes is HTML or XML, like a server's error message."""
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return text.startswith((b"<!doctype", b"<html", b"<head", b"<body", b"<?xml", b"<script"))


def _silent(done: int, total: int | None) -> None:
    pass


def _never() -> bool:
    return False


def _receive(url: str, target: Path, file: BinaryIO, timeout: float) -> Generator[tuple[int | None, int | None], None, tuple[str, str]]:
    """Write the body to ``file``, and return its SHA-256 and its MD5."""
    sha256, md5, done = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    for chunk, total in _Fetch(url, timeout).chunks():
        if chunk is None:
            yield None, None
            continue
        if isinstance(chunk, Exception):
            raise GibbonError(_offline(url, target, chunk)) from None
        if done == 0 and is_web_page(chunk):
            raise GibbonError(f"{url} gave a web page instead of the file. Fetch it with a browser and put it at {target}.")
        file.write(chunk)
        sha256.update(chunk)
        md5.update(chunk)
        done += len(chunk)
        yield done, total
        # A body that ends early raises nothing after its last chunk, so the length must be compared.
        if not chunk and (done == 0 or (total is not None and done != total)):
            expected = "the file" if total is None else f"{total:,}"
            raise GibbonError(f"The download of {target.name} ended after {done:,} bytes of {expected}. Try again.")
    return sha256.hexdigest(), md5.hexdigest()


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

    def chunks(self) -> Iterator[tuple[bytes | Exception | None, int | None]]:
        """Yield pieces of the body with the total length, and None while nothing comes; the last is empty, or what ended it."""
        threading.Thread(target=self._run, name="download", daemon=True).start()
        try:
            while True:
                try:
                    chunk, total = self._queue.get(timeout=_PATIENCE)
                except queue.Empty:
                    yield None, None
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
