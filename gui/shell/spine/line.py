"""Line: one line of a chip, and how much of it fits into a width. Names are shortened with an ellipsis, numbers never are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

LEAST_SHARE = 0.35
"""The least share of a name's width that is left of it before a shorter text behind it is taken."""


@dataclass(frozen=True)
class Line:
    """A name that may be shortened, and behind it a text that is never cut: of its forms the longest that fits is shown."""

    name: str = ""
    forms: tuple[str, ...] = ("",)
    """The text behind the name, from the longest form to the shortest. A form that is too long is left out whole."""

    @property
    def whole(self) -> str:
        """The line at full length."""
        return f"{self.name}{self.forms[0]}"


def fitted(line: Line, room: int, width: Callable[[str], int], elide: Callable[[str, int], str]) -> tuple[str, str]:
    """Return the name and the text behind it as they fit into ``room`` pixels.

    ``width`` measures a text and ``elide`` shortens one to a width. If not even the shortest form fits, nothing is shown behind the name.
    """
    for form in line.forms:
        left = room - width(form)
        if left >= (width(line.name) if form != line.forms[-1] else LEAST_SHARE * width(line.name)):
            return elide(line.name, left), form
    return elide(line.name, room), ""
