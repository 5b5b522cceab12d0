"""Encoder of MP4 by PyAV, which is an optional part of the installation."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import GibbonError

MISSING = "MP4 needs PyAV, which is not installed. Install it with: uv sync --extra video, or pip install av (or choose GIF, APNG or WebP)."


def video_is_there() -> bool:
    """Return whether MP4 can be written here."""
    from importlib.util import find_spec

    return find_spec("av") is not None


class Mp4Encoder:
    """H.264 in MP4; a held frame is repeated in time, not in the file. ``text`` is the file's comment.

    Raises
    ------
    GibbonError
        PyAV is not installed.
    """

    def __init__(self, path: Path, size: tuple[int, int], fps: float, text: str) -> None:
        if not video_is_there():
            raise GibbonError(MISSING)
        from importlib import import_module

        self._av: Any = import_module("av")
        self._container = self._av.open(str(path), "w", format="mp4")
        self._container.metadata.update({"comment": text, "title": "Gibbon animation"})
        # Without frames out of order, the file's duration is the time of its last frame.
        options = {"crf": "16", "bf": "0"}
        self._stream = self._container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1000), options=options)
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = self._stream.time_base = Fraction(1, 1000)
        self._time = 0
        self._last: NDArray[np.uint8] | None = None

    def add(self, frame: NDArray[np.uint8], milliseconds: int) -> None:
        """Encode a frame that is shown for this time."""
        self._encode(frame)
        self._last = frame
        self._time += milliseconds

    def close(self) -> None:
        """Write the last frame once more at the end of its time, and the index of the file."""
        if self._last is not None:
            self._encode(self._last)
        for packet in self._stream.encode(None):
            self._container.mux(packet)
        self._container.close()

    def abandon(self) -> None:
        """Close the file without finishing it."""
        self._container.close()

    def _encode(self, frame: NDArray[np.uint8]) -> None:
        picture = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
        picture.pts, picture.time_base = self._time, Fraction(1, 1000)
        for packet in self._stream.encode(picture):
            self._container.mux(packet)
