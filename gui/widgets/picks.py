"""Picks: the rows of a list to choose from, in groups, and the search in their texts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtGui import QIcon


@dataclass(frozen=True, eq=False)
class Pick:
    """One row of the list."""

    value: Any
    """The value that `PickList.picked` carries."""
    texts: tuple[str, ...]
    """The text of each column."""
    tip: str = ""
    words: tuple[str, ...] = ()
    """The texts that a search matches, the most specific first. The first two are names, which match anywhere, the others from a word's
    beginning. Without any, the first column is the name."""
    icon: QIcon | None = None
    always: bool = False
    """Whether the row stays whatever is searched for, because it leads to more rows. One click picks it."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The texts that a search matches, in lower case."""
        return tuple(text.casefold() for text in (self.words or self.texts[:1]))


@dataclass(frozen=True, eq=False)
class PickGroup:
    """Rows under a title. A group without rows is not shown."""

    title: str
    picks: Sequence[Pick]
    tip: str = ""


def split_words(text: str) -> list[str]:
    """Return the words of a search in lower case."""
    return text.casefold().split()


def found_at(word: str, fields: Sequence[str]) -> int:
    """Return the index of the first field with a word that starts with ``word``, or -1. The first two, its names, match anywhere."""
    begins = re.compile(rf"(?<!\w){re.escape(word)}")
    return next((i for i, text in enumerate(fields) if (word in text if i < 2 else begins.search(text))), -1)
