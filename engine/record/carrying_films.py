"""Records inside animations: the comment of a GIF or an MP4, and the XMP of a WebP. An animated PNG is read as any other."""

from __future__ import annotations

import html
import re

_KEY = b"gibbon"
_GIF = (b"GIF87a", b"GIF89a")


def is_film(data: bytes) -> bool:
    """Return whether the first bytes are those of a GIF, a WebP or an MP4."""
    return data.startswith(_GIF) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP") or data[4:8] == b"ftyp"


def text_in_film(data: bytes) -> str | None:
    """Return the text that a GIF, a WebP or an MP4 carries under this project's name; None where there is none."""
    if data.startswith(_GIF):
        return _in_gif(data)
    return _in_webp(data) if data[:4] == b"RIFF" else _in_mp4(data)


def _in_gif(data: bytes) -> str | None:
    """Read the comments before the first picture."""
    at = 13 + (3 * 2 ** ((data[10] & 7) + 1) if len(data) > 10 and data[10] & 0x80 else 0)
    while at + 2 < len(data) and data[at] == 0x21:
        kind, parts, at = data[at + 1], [], at + 2
        while at < len(data) and (length := data[at]):
            parts.append(data[at + 1 : at + 1 + length])
            at += 1 + length
        at += 1
        comment = b"".join(parts)
        if kind == 0xFE and comment.startswith(_KEY + b" "):
            return comment[len(_KEY) + 1 :].decode("ascii", "replace")
    return None


def _in_webp(data: bytes) -> str | None:
    at = 12
    while at + 8 <= len(data):
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if kind == b"XMP ":
            found = re.search(rb"<gibbon>(.*?)</gibbon>", data[at + 8 : at + 8 + length], re.DOTALL)
            return None if found is None else html.unescape(found[1].decode("utf-8", "replace"))
        at += 8 + length + length % 2
    return None


def _in_mp4(data: bytes) -> str | None:
    """Find the comment among the boxes moov, udta, meta and ilst."""
    inside: bytes | None = data
    for name in (b"moov", b"udta", b"meta", b"ilst", b"\xa9cmt", b"data"):
        inside = _box(inside, name) if inside is not None else None
        if name == b"meta" and inside is not None and inside[4:8] != b"hdlr":
            inside = inside[4:]  # its version and flags
    return None if inside is None else inside[8:].decode("utf-8", "replace")


def _box(data: bytes, name: bytes) -> bytes | None:
    at = 0
    while at + 8 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        head = 8
        if length == 1:
            length, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        length = length or len(data) - at
        if length < head:
            return None
        if kind == name:
            return data[at + head : at + length]
        at += length
    return None
