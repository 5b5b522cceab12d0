"""History: the finished runs, kept within a memory budget, to be shown again, compared and removed."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gui.given import Given

if TYPE_CHECKING:
    from torch import Tensor

    from engine import AttackResult
    from engine.images import Photograph
    from engine.stickers import Content, Sticker
    from gui.scene import Scene

_numbers = itertools.count(1)


@dataclass(frozen=True, eq=False)
class Entry:
    """One finished run."""

    result: AttackResult
    scene: Scene
    """To be shown again: with the stickers and the perturbation that came out."""
    before: Scene
    """What was attacked."""
    image: Mapping[str, Any] = field(default_factory=dict)
    """Where the image came from: name, path, hash, crop."""
    given: Given = field(default_factory=Given)
    """What the attack was given beside the image."""
    photograph: Photograph | None = None
    """What the image was cropped from."""
    number: int = field(default_factory=lambda: next(_numbers))

    @property
    def title(self) -> str:
        """``#3 PGD``."""
        return f"#{self.number} {self.result.operation.title}"

    @property
    def bytes(self) -> int:
        """Memory that it holds on to, about."""
        result = self.result
        tensors: list[Tensor] = [result.clean, result.adversarial, result.trace, result.logits]
        return sum(tensor.nbytes for tensor in tensors) + sum(_bytes_of(artifact) for artifact in result.artifacts.values())


def _bytes_of(artifact: Any) -> int:
    """Of the tensors that an artifact holds."""
    parts = [*vars(artifact).values(), *getattr(artifact, "lines", {}).values()]
    return sum(part.nbytes for part in parts if hasattr(part, "nbytes"))


class History:
    """Entries, the newest last; the oldest go when the budget is full."""

    def __init__(self, max_bytes: int = 256 * 2**20) -> None:
        self._max_bytes = max_bytes
        self._entries: list[Entry] = []

    @property
    def entries(self) -> tuple[Entry, ...]:
        """In the order in which they finished."""
        return tuple(self._entries)

    def add(self, entry: Entry) -> list[Entry]:
        """Keep it; the answer is what had to go for it."""
        self._entries.append(entry)
        gone = []
        while len(self._entries) > 1 and self._bytes > self._max_bytes:
            gone.append(self._entries.pop(0))
        return gone

    @property
    def _bytes(self) -> int:
        photographs = {id(entry.photograph): entry.photograph.pixels.nbytes for entry in self._entries if entry.photograph is not None}
        return sum(entry.bytes for entry in self._entries) + sum(photographs.values())

    def remove(self, number: int) -> None:
        """Forget the entry of that number."""
        self._entries = [entry for entry in self._entries if entry.number != number]

    def find(self, number: int) -> Entry | None:
        """The entry of that number."""
        return next((entry for entry in self._entries if entry.number == number), None)


def stickers_after(stickers: tuple[Sticker, ...], result: AttackResult) -> tuple[Sticker, ...]:
    """The stickers with the content that a sticker attack made."""
    from engine.artifacts import StickerContent
    from engine.stickers import with_content

    content = result.artifacts.get("content")
    return with_content(stickers, content.pixels[0]) if isinstance(content, StickerContent) else stickers


def with_contents(stickers: tuple[Sticker, ...], contents: Mapping[int, Content]) -> tuple[Sticker, ...]:
    """The stickers with other contents, by id, where an attack paints them."""
    from engine.stickers import Optimised

    return tuple(
        replace(sticker, content=contents[sticker.id]) if sticker.id in contents and isinstance(sticker.content, Optimised) else sticker
        for sticker in stickers
    )


def same_places(these: tuple[Sticker, ...], those: tuple[Sticker, ...]) -> bool:
    """Whether both look the same to a sticker attack: all but what it paints itself."""
    return these == those or _bare(these) == _bare(those)


def same_ids(these: tuple[Sticker, ...], those: tuple[Sticker, ...]) -> bool:
    """Whether the same stickers are there to be painted, wherever they are."""
    return _painted(these) == _painted(those)


def _bare(stickers: tuple[Sticker, ...]) -> list[tuple[bool, Sticker]]:
    from engine.stickers import Colour, Optimised

    painted = [isinstance(sticker.content, Optimised) for sticker in stickers]
    return [(own, replace(sticker, content=Colour()) if own else sticker) for own, sticker in zip(painted, stickers, strict=True)]


def _painted(stickers: tuple[Sticker, ...]) -> set[int]:
    from engine.stickers import Optimised

    return {sticker.id for sticker in stickers if isinstance(sticker.content, Optimised)}
