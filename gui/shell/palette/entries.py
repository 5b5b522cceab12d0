"""Entry: one line of the palette; and the search, which is pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

KINDS = ("Command", "Workspace", "Panel", "Attack", "Preset", "Sample", "Recent", "Experiment", "Help")
"""The kinds of entries; of equally good matches the earlier kind stands first."""
_INITIAL, _START, _INSIDE, _LETTERS, _NONE = range(5)


@dataclass(frozen=True, eq=False)
class Entry:
    """A line of the palette, and what it does."""

    id: str
    """A name that stays the same from one start to the next, by which recently used entries are remembered."""
    title: str
    kind: str
    """One of `KINDS`."""
    do: Callable[[], object]
    keys: str = ""
    """The keyboard shortcut, as the menus write it."""
    words: str = ""
    """Further words that the search finds: a tool tip, a paper, other names."""
    enabled: bool = True
    """Whether it can be done at the moment."""
    icon: str = ""


def find(entries: Sequence[Entry], text: str, recent: Sequence[str] = ()) -> list[Entry]:
    """Return the entries that contain every word of ``text``, the best matches first.

    A match at the beginning of the title is better than one at the beginning of a word, inside a word, as initials, or elsewhere.
    Of equal matches the recently used stand first (``recent`` lists ids, the newest first), and what cannot be done stands last.
    """
    words = text.casefold().split()
    used = {id: place for place, id in enumerate(recent)}
    ranked = []
    for place, entry in enumerate(entries):
        grades = [_grade(word, entry) for word in words]
        if _NONE not in grades:
            rank = (not entry.enabled, max(grades, default=0), sum(grades), used.get(entry.id, len(used)), KINDS.index(entry.kind), place)
            ranked.append((rank, entry))
    return [entry for _, entry in sorted(ranked, key=lambda pair: pair[0])]


def _grade(word: str, entry: Entry) -> int:
    """Return how well a word fits an entry: the smaller the better, `_NONE` if not at all."""
    title = entry.title.casefold()
    if title.startswith(word):
        return _INITIAL
    begins = re.compile(rf"(?<!\w){re.escape(word)}")
    if begins.search(title) or begins.search(entry.kind.casefold()):
        return _START
    if word in title:
        return _INSIDE
    if begins.search(entry.words.casefold()) or _in_order(word, title):
        return _LETTERS
    return _NONE


def _in_order(word: str, title: str) -> bool:
    """Return whether the letters of a word begin words of the title, in order: ``ef`` finds “Export figure”."""
    initials = "".join(part[0] for part in re.findall(r"\w+", title))
    return len(word) > 1 and word in initials
