"""Records inside other files: the text that an image, a figure or an animation carries, and the sidecar that completes it."""

from __future__ import annotations

import html
import json
import re
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine.errors import GibbonError
from engine.files import ordinary_file
from engine.record.carrying_films import is_film, text_in_film

CARRIERS = (".png", ".pdf", ".svg", ".apng", ".gif", ".webp", ".mp4")
"""Suffixes of the files that may carry a record."""
BESIDE = "the file beside it.json"
"""Name by which an anonymous figure refers to its sidecar: its own name, with ``.json``."""
_PNG = b"\x89PNG\r\n\x1a\n"
_KEY = b"gibbon"
_LIMIT = 256 * 2**20
_TEXT_LIMIT = 64 * 2**20
"""The most bytes that a text may unpack to."""
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def carries(path: Path | str) -> bool:
    """Return whether a file is a PNG, PDF, SVG, GIF, WebP or MP4, by its first bytes; False where it cannot be read."""
    try:
        with ordinary_file(path).open("rb") as stream:
            start = stream.read(4096)
    except (OSError, GibbonError):
        return False
    return start.startswith((_PNG, b"%PDF")) or b"<svg" in start or is_film(start)


def carried(path: Path | str) -> dict[str, Any] | None:
    """Return the JSON object that a figure, an image or an animation carries; None where it carries none.

    Values that were too long for the file are replaced by those of the sidecar that it names, if that lies beside it and is of the same
    image.

    Raises
    ------
    GibbonError
        The file cannot be read, or the sidecar that it needs is missing or another one.
    """
    path = ordinary_file(path, "a file that carries a record", limit=_LIMIT)
    try:
        text = carried_text(path.read_bytes())
    except OSError as error:
        raise GibbonError(f"“{path}” cannot be read: {error.strerror or error}. Check its permissions.") from None
    content: Any = None
    if text is not None:
        with suppress(ValueError, RecursionError):
            content = json.loads(text)
    return _completed(content, path) if isinstance(content, dict) else None


def carried_text(data: bytes) -> str | None:
    """Return the text that the bytes of a figure, an image or an animation carry under this project's name; None where there is none."""
    if data.startswith(_PNG):
        return _in_png(data)
    if data.startswith(b"%PDF"):
        return _in_pdf(data)
    if is_film(data[:12]):
        return text_in_film(data)
    if b"<svg" in data[:4096]:
        return _in_svg(data)
    return None


def is_figure(content: Mapping[str, Any]) -> bool:
    """Return whether the file that carries this content is a figure; else it is an adversarial image."""
    return content.get("figure") is not None


# ---------------------------------------------------------------------- the three kinds of files


def text_in_png(data: bytes, name: str) -> str | None:
    """Return the text that the bytes of a PNG carry under a name; None where there is none, or where they are no PNG."""
    return _in_png(data, name.encode("latin-1", "replace")) if data.startswith(_PNG) else None


def _in_png(data: bytes, key: bytes = _KEY) -> str | None:
    """Find the text chunk of a name: tEXt, zTXt or iTXt."""
    at = len(_PNG)
    while at + 12 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if at + 12 + length > len(data):
            return None
        name, _, rest = data[at + 8 : at + 8 + length].partition(b"\0")
        if name == key and kind in (b"tEXt", b"zTXt", b"iTXt"):
            return _text_of_chunk(kind, rest)
        at += 12 + length
    return None


def _text_of_chunk(kind: bytes, rest: bytes) -> str | None:
    if kind == b"tEXt":
        return rest.decode("latin-1")
    if kind == b"zTXt":
        return _inflated(rest[1:], "latin-1")
    packed, text = rest[:1] == b"\1", rest[2:].split(b"\0", 2)[-1]
    return _inflated(text, "utf-8") if packed else text.decode("utf-8", "replace")


def _inflated(data: bytes, encoding: str) -> str | None:
    with suppress(zlib.error):
        return zlib.decompressobj().decompress(data, _TEXT_LIMIT).decode(encoding, "replace")
    return None


def _in_pdf(data: bytes) -> str | None:
    """Read the string after /Keywords in the document's information; where a backslash escapes a character, and brackets are balanced."""
    found = re.search(rb"/Keywords\s*\(", data)
    if found is None:
        return None
    text, depth, at = bytearray(), 1, found.end()
    for token in re.finditer(rb"\\(?:[0-7]{1,3}|\r\n|.)|[()]|[^\\()]+", data[at:], re.DOTALL):
        part = token[0]
        depth += {b"(": 1, b")": -1}.get(part, 0)
        if depth == 0:
            raw = bytes(text)
            return raw.decode("utf-16" if raw[:2] in (b"\xfe\xff", b"\xff\xfe") else "latin-1", "replace")
        text += _unescaped(part[1:]) if part.startswith(b"\\") else part
    return None


def _unescaped(escaped: bytes) -> bytes:
    if escaped[:1] in b"01234567":
        return bytes([int(escaped, 8) & 0xFF])
    return b"" if escaped in (b"\n", b"\r", b"\r\n") else _ESCAPES.get(escaped, escaped)


def _in_svg(data: bytes) -> str | None:
    found = re.search(r"<dc:description>(.*?)</dc:description>", data.decode("utf-8", "replace"), re.DOTALL)
    return None if found is None else html.unescape(found[1])


# ---------------------------------------------------------------------- what was too long for the file


def _completed(content: dict[str, Any], path: Path) -> dict[str, Any]:
    names = _sidecars(content)
    if not names:
        return content
    own = f"{path.name}.json"
    name = own if BESIDE in names else next(iter(names))
    places = [place for place in (path.with_name(Path(name).name), path.with_name(own)) if place.is_file()]
    if not places:
        raise GibbonError(
            f"“{path.name}” carries its record without the pixels, which are in “{name}”. Put that file beside it, or open that file."
        )
    whole: Any = None
    with suppress(OSError, ValueError, RecursionError):
        whole = json.loads(ordinary_file(places[0], "a record (.json)", limit=_LIMIT).read_text(encoding="utf-8"))
    if not isinstance(whole, dict) or not _agrees(content, whole):
        raise GibbonError(f"“{places[0].name}” is not the record of “{path.name}”, which carries only a part. Put the original file there.")
    return whole


def _sidecars(value: Any) -> set[str]:
    """Return the names of the files that hold what is missing here: values such as “see figure.pdf.json”."""
    if isinstance(value, str):
        found = re.fullmatch(r"see ([^/\\]+\.json)", value)
        return {found[1]} if found else set()
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return {name for each in inner for name in _sidecars(each)}


def _agrees(part: Any, whole: Any) -> bool:
    """Return whether ``whole`` has every value of ``part``, except those that name it."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and part.keys() == whole.keys() and all(_agrees(part[key], whole[key]) for key in part)
    if isinstance(part, list):
        return isinstance(whole, list) and len(part) == len(whole) and all(map(_agrees, part, whole))
    return part == whole or bool(_sidecars(part))
