"""Words that are not the program's own, as Qt takes texts: every sign stands for itself."""

from __future__ import annotations


def literal(text: str) -> str:
    """The text of a menu's entry, a button or a tab that shows every ``&``. Qt would take it for the mark of a keyboard shortcut.

    Markup needs no such care: the style sheet of `gui.theme` makes labels and tool tips plain text.
    """
    return text.replace("&", "&&")


def literal_title(text: str) -> str:
    """The title of a window that shows ``[*]``. Qt would take it for the place of the star that marks unsaved work."""
    return text.replace("[*]", "[*][*]")
