"""Entry: one line of the palette; and the search, which is pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

KINDS = ("Command", "Workspace", "Panel", "Attack", "Model", "Preset", "Sample", "Recent", "Data set", "Experiment", "Help")
"""The kinds of entries; of equally good matches the earlier kind stands first."""
_INITIAL, _START, _INSIDE, _LETTERS, _SLIP, _NONE = range(6)
_SLIPS = {3: 1, 8: 2}
"""The number of slips that are forgiven in a word, by its least length, where nothing is found without them."""


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
    Case, accents and “&” do not matter. Where nothing contains the words, they may be misspelt: a letter may be wrong, missing, superfluous
    or exchanged with its neighbour, two in a long word.
    """
    words = plain(text).split()
    return _ranked(entries, words, recent, _grade) or _ranked(entries, words, recent, _grade_of_slip)


def plain(text: str) -> str:
    """Return a text as it is compared: small letters without accents, “∞” as ``inf``, and without “&”."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().replace("∞", "inf").replace("&", ""))
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _ranked(entries: Sequence[Entry], words: Sequence[str], recent: Sequence[str], grade: Callable[[str, Entry], int]) -> list[Entry]:
    used = {id: place for place, id in enumerate(recent)}
    ranked = []
    for place, entry in enumerate(entries):
        grades = [grade(word, entry) for word in words]
        if _NONE not in grades:
            rank = (not entry.enabled, max(grades, default=0), sum(grades), used.get(entry.id, len(used)), KINDS.index(entry.kind), place)
            ranked.append((rank, entry))
    return [entry for _, entry in sorted(ranked, key=lambda pair: pair[0])]


def _grade(word: str, entry: Entry) -> int:
    """Return how well a word fits an entry: the smaller the better, `_NONE` if not at all."""
    title = plain(entry.title)
    if title.startswith(word):
        return _INITIAL
    begins = re.compile(rf"(?<!\w){re.escape(word)}")
    if begins.search(title) or begins.search(plain(entry.kind)):
        return _START
    if word in title:
        return _INSIDE
    if begins.search(plain(entry.words)) or _in_order(word, title):
        return _LETTERS
    return _NONE


def _grade_of_slip(word: str, entry: Entry) -> int:
    """Return how well a word fits that may be misspelt."""
    grade = _grade(word, entry)
    if grade != _NONE:
        return grade
    slips = max((allowed for length, allowed in _SLIPS.items() if len(word) >= length), default=0)
    among = re.findall(r"\w+", plain(f"{entry.title} {entry.kind}"))
    return _SLIP if any(_nearly_begins(word, other, slips) for other in among) else _NONE


def _nearly_begins(word: str, other: str, slips: int) -> bool:
    """Return whether another word begins with this one, apart from at most ``slips`` wrong letters."""
    common = next((at for at, (one, two) in enumerate(zip(word, other, strict=False)) if one != two), min(len(word), len(other)))
    if common == len(word):
        return True
    if not slips:
        return False
    rest, there = word[common:], other[common:]
    exchanged = rest[:2] == there[1::-1] and len(there) > 1
    return (
        _nearly_begins(rest[1:], there[1:], slips - 1)  # a wrong letter
        or _nearly_begins(rest, there[1:], slips - 1)  # a missing one
        or _nearly_begins(rest[1:], there, slips - 1)  # a superfluous one
        or (exchanged and _nearly_begins(rest[2:], there[2:], slips - 1))
    )


def _in_order(word: str, title: str) -> bool:
    """Return whether the letters of a word begin words of the title, in order: ``ef`` finds “Export figure”."""
    initials = "".join(part[0] for part in re.findall(r"\w+", title))
    return len(word) > 1 and word in initials
