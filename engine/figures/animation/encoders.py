"""Encoders: frames one at a time into a GIF, an APNG or a WebP, so that the memory does not grow and each frame can be the last.

Pillow encodes the single pictures; the containers are written here, because Pillow holds all frames until the end.
"""

from __future__ import annotations

import io
import struct
import zlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import GifImagePlugin, Image

Pixels = NDArray[np.uint8]
_KEY = "gibbon"


class Encoder(ABC):
    """Writes frames of one size to a stream.

    Parameters
    ----------
    stream
        Binary file, open for writing.
    size
        Width and height in pixels.
    count
        Number of frames.
    loop
        Whether it begins again at the end.
    text
        What the file is to carry.
    """

    def __init__(self, stream: IO[bytes], size: tuple[int, int], count: int, *, loop: bool, text: str) -> None:
        self._stream, self._size, self._count, self._loop, self._text = stream, size, count, loop, text
        self._before: Pixels | None = None

    @abstractmethod
    def add(self, frame: Pixels, milliseconds: int) -> None:
        """Write a frame ``(H, W, 3)``."""

    @abstractmethod
    def close(self) -> None:
        """Write the end of the file."""

    def _changed(self, frame: Pixels, even: bool = False) -> tuple[int, int, int, int]:
        """Return the rectangle (left, top, right, bottom) that differs from the frame before; a single pixel where nothing does."""
        before, self._before = self._before, frame.copy()
        if before is None:
            return 0, 0, *self._size
        different = (before != frame).reshape(*frame.shape[:2], -1).any(2)
        if not different.any():
            return 0, 0, 2, 2
        rows, columns = np.flatnonzero(different.any(1)), np.flatnonzero(different.any(0))
        left, top, right, bottom = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
        return (left - left % 2, top - top % 2, right, bottom) if even else (left, top, right, bottom)


class GifEncoder(Encoder):
    """GIF with one palette for all frames and no dithering, so that flat areas stay flat and nothing flickers."""

    def __init__(self, stream: IO[bytes], size: tuple[int, int], count: int, *, loop: bool, text: str, palette: Pixels) -> None:
        super().__init__(stream, size, count, loop=loop, text=text)
        self._nearest, table = nearest_in(palette), palette.tobytes()
        self._table = list(table)
        stream.write(b"GIF89a" + struct.pack("<HHBBB", *size, 0xF7, 0, 0) + table)
        if loop:
            stream.write(b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", 0) + b"\0")
        comment = f"{_KEY} {text}".encode("ascii", "replace")
        blocks = (comment[at : at + 255] for at in range(0, len(comment), 255))
        stream.write(b"\x21\xfe" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0")

    def add(self, frame: Pixels, milliseconds: int) -> None:
        """Write a frame, or what of it has changed."""
        coarse = frame >> 2
        mapped = self._nearest[coarse[..., 0], coarse[..., 1], coarse[..., 2]]
        left, top, right, bottom = self._changed(mapped[..., None])
        part = Image.frombytes("P", (right - left, bottom - top), mapped[top:bottom, left:right].tobytes())
        part.putpalette(self._table)
        for block in GifImagePlugin.getdata(part, (left, top), duration=milliseconds, disposal=1):
            self._stream.write(block)

    def close(self) -> None:
        """Write the trailer, a semicolon, which ends every GIF."""
        self._stream.write(b";")


class ApngEncoder(Encoder):
    """Animated PNG: every colour as it is."""

    def __init__(self, stream: IO[bytes], size: tuple[int, int], count: int, *, loop: bool, text: str) -> None:
        super().__init__(stream, size, count, loop=loop, text=text)
        self._number = 0
        stream.write(b"\x89PNG\r\n\x1a\n")
        self._chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0))
        self._chunk(b"tEXt", _KEY.encode() + b"\0" + text.encode("ascii", "replace"))
        self._chunk(b"acTL", struct.pack(">II", count, 0 if loop else 1))

    def add(self, frame: Pixels, milliseconds: int) -> None:
        """Write a frame, or what of it has changed."""
        first = self._before is None
        left, top, right, bottom = self._changed(frame)
        control = (self._next(), right - left, bottom - top, left, top, milliseconds, 1000, 0, 0)
        self._chunk(b"fcTL", struct.pack(">IIIIIHHBB", *control))
        data = _png_data(frame[top:bottom, left:right])
        if first:
            self._chunk(b"IDAT", data)
        else:
            self._chunk(b"fdAT", struct.pack(">I", self._next()) + data)

    def close(self) -> None:
        """Write the empty chunk that ends every PNG."""
        self._chunk(b"IEND", b"")

    def _next(self) -> int:
        self._number += 1
        return self._number - 1

    def _chunk(self, kind: bytes, data: bytes) -> None:
        self._stream.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))


class WebpEncoder(Encoder):
    """Animated WebP without loss: every colour as it is, in smaller files."""

    def __init__(self, stream: IO[bytes], size: tuple[int, int], count: int, *, loop: bool, text: str) -> None:
        super().__init__(stream, size, count, loop=loop, text=text)
        stream.write(b"RIFF\0\0\0\0WEBP")
        self._chunk(b"VP8X", bytes([0x02 | 0x04, 0, 0, 0]) + _three(size[0] - 1) + _three(size[1] - 1))
        self._chunk(b"ANIM", b"\xff\xff\xff\xff" + struct.pack("<H", 0 if loop else 1))

    def add(self, frame: Pixels, milliseconds: int) -> None:
        """Write a frame, or what of it has changed; a part begins at even coordinates."""
        left, top, right, bottom = self._changed(frame, even=True)
        stream = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(frame[top:bottom, left:right])).save(stream, "WEBP", lossless=True, method=2, quality=50)
        place = b"".join(map(_three, (left // 2, top // 2, right - left - 1, bottom - top - 1, milliseconds)))
        self._chunk(b"ANMF", place + bytes([0x02]) + stream.getvalue()[12:])  # 0x02: the frame replaces what is there

    def close(self) -> None:
        """Write the text, and the size of the whole at its place."""
        packet = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><{_KEY}>{_escaped(self._text)}</{_KEY}></x:xmpmeta>'
        self._chunk(b"XMP ", packet.encode())
        length = self._stream.tell()
        self._stream.seek(4)
        self._stream.write(struct.pack("<I", length - 8))
        self._stream.seek(length)

    def _chunk(self, kind: bytes, data: bytes) -> None:
        self._stream.write(kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2))


def common_palette(samples: Sequence[Pixels], exact: Sequence[str]) -> Pixels:
    """Return a palette ``(256, 3)`` for all frames: the colours of the page exactly, the rest chosen from a few of the frames."""
    kept = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in dict.fromkeys(exact)], np.uint8)
    packed = np.concatenate([sample[::2, ::2].reshape(-1, 3) @ np.array([1 << 16, 1 << 8, 1], np.int32) for sample in samples])
    numbers, counts = np.unique(packed, return_counts=True)
    colours = np.stack([numbers >> 16, numbers >> 8 & 255, numbers & 255], -1).astype(np.uint8)
    if len(colours) > 256 - len(kept):
        # Every colour counts by the root of its area: paper would otherwise take all of the palette's shades.
        pool = np.repeat(colours, np.clip(np.sqrt(counts) / 4, 1, 16).astype(int), axis=0)[:, None]
        quantized = Image.fromarray(np.ascontiguousarray(pool)).quantize(256 - len(kept), Image.Quantize.MEDIANCUT, kmeans=1)
        colours = np.array(quantized.getpalette(), np.uint8).reshape(-1, 3)[: 256 - len(kept)]
    table: Pixels = np.concatenate([kept, colours, np.repeat(kept[:1], 256 - len(kept) - len(colours), axis=0)])
    return table


def nearest_in(palette: Pixels) -> Pixels:
    """Return the number of the nearest colour of the palette ``(256, 3)`` for every colour; channels keep their upper six bits."""
    levels = np.arange(64, dtype=np.float32) * 4 + 2
    wanted = palette.astype(np.float32)
    nearest = np.empty((64, 64, 64), np.uint8)
    green, blue = np.meshgrid(levels, levels, indexing="ij")
    for red in range(64):
        cells = np.stack([np.full_like(green, levels[red]), green, blue], -1).reshape(-1, 3)
        distance = (wanted**2).sum(1) - 2 * cells @ wanted.T
        nearest[red] = distance.argmin(1).reshape(64, 64)
    own = palette[::-1] >> 2  # the first of equal colours is written last
    nearest[own[:, 0], own[:, 1], own[:, 2]] = np.arange(256, dtype=np.uint8)[::-1]
    return nearest


def _png_data(frame: Pixels) -> bytes:
    """Return the compressed pixels of a PNG of the frame."""
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(frame)).save(stream, "PNG", compress_level=6)
    data, at, found = stream.getvalue(), 8, b""
    while at < len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        found += data[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += 12 + length
    return found


def _three(value: int) -> bytes:
    return value.to_bytes(3, "little")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
